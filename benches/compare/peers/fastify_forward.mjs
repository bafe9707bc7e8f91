// Fastify, jose and undici: verifies the token, maps the cart field by field, forwards the order, and stores nothing.
// node fastify_forward.mjs '{"port": …, "vmsPort": …, "tokenUrl": …, "issuer": …, "jwksUrl": …, "audience": …, "scope": …}'
import Fastify from "fastify";
import { createRemoteJWKSet, jwtVerify } from "jose";

import { Vms, orderOf } from "./order.mjs";

const settings = JSON.parse(process.argv[2]);
const vms = await Vms.connect(settings.vmsPort, settings.tokenUrl);
const keys = createRemoteJWKSet(new URL(settings.jwksUrl));
const rules = { issuer: settings.issuer, audience: settings.audience, algorithms: ["RS256"] };

async function authorize(request, reply) {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  try {
    if (scheme !== "Bearer") throw new Error("no token");
    const { payload } = await jwtVerify(token, keys, rules);
    if (!payload.scope.split(" ").includes(settings.scope)) return reply.code(403).send({ title: "insufficient scope" });
  } catch {
    return reply.code(401).send({ title: "invalid token" });
  }
}

const app = Fastify({ logger: false });
app.post("/v2/purchase-orders", { onRequest: authorize }, async (request, reply) => {
  const order = orderOf(request.body);
  const number = await vms.create(order);
  return reply.code(201).send({ id: order.externalId, state: "created", purchaseOrderNumber: number });
});
await app.listen({ port: settings.port, host: "127.0.0.1", backlog: 4096 });
