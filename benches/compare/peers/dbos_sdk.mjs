// A workflow of DBOS, its id the cart's GUID: one step forwards the order, and the result is stored before it is answered.
// node dbos_sdk.mjs '{"port": …, "vmsPort": …, "tokenUrl": …, "databaseUrl": …}'
import { DBOS } from "@dbos-inc/dbos-sdk";
import Fastify from "fastify";

import { Vms, guidOf, orderOf } from "./order.mjs";

const settings = JSON.parse(process.argv[2]);
const vms = await Vms.connect(settings.vmsPort, settings.tokenUrl);

DBOS.setConfig({ name: "orders", systemDatabaseUrl: settings.databaseUrl, logLevel: "error" });
const create = DBOS.registerWorkflow(async (cart) => {
  const order = orderOf(cart);
  const number = await DBOS.runStep(() => vms.create(order), { name: "forward" });
  return { id: order.externalId, state: "created", purchaseOrderNumber: number };
}, { name: "create" });
await DBOS.launch();

const app = Fastify({ logger: false });
app.post("/v2/purchase-orders", async (request, reply) => {
  const workflow = await DBOS.startWorkflow(create, { workflowID: guidOf(request.body) })(request.body);
  return reply.code(201).send(await workflow.getResult());
});
await app.listen({ port: settings.port, host: "127.0.0.1", backlog: 4096 });
