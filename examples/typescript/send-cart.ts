/**
 * Sends a cart, and prints the number of its purchase order. Types come from the API's description (`npm run types`).
 *
 *   PO_WEBHOOK_URL=… TOKEN_URL=… CLIENT_ID=… CLIENT_SECRET=… [SCOPE=…] npm start CART.json
 *
 * Ends with 0: there is an order; 1: somebody has to act; 2: not known yet, run it again with the same file.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Cart = components["schemas"]["Cart"];
type Order = components["schemas"]["PurchaseOrder"];
type Problem = components["schemas"]["Problem"];

const SENDS = 5; // how often the cart is sent,
const POLLS = 60; // and how often its order is asked for
const SECONDS = 10; // between two, where the answer has no Retry-After
const TIMEOUT_MS = 60_000; // longer than the service's own deadline of 50 s

const SEND_AGAIN = [408, 429, 500, 503, 504];
const SETTLED = ["created", "rejected", "parked", "cancelled"];

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** Client credentials (RFC 6749 §4.4). */
async function fetchToken(): Promise<string> {
  const credentials = [setting("CLIENT_ID"), setting("CLIENT_SECRET")].map(encodeURIComponent).join(":");
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  if (process.env.SCOPE) form.set("scope", process.env.SCOPE);
  const answer = await fetch(setting("TOKEN_URL"), {
    method: "POST",
    // XSUAA decodes encoded credentials only if it is told so.
    headers: { Authorization: `Basic ${btoa(credentials)}`, "X-CF-ENCODED-CREDENTIALS": "true" },
    body: form,
    signal: AbortSignal.timeout(30_000),
  });
  if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { access_token: string }).access_token;
}

let token = await fetchToken();
const client = createClient<paths>({
  baseUrl: setting("PO_WEBHOOK_URL").replace(/\/$/, ""),
  fetch: (request) => {
    request.headers.set("Authorization", `Bearer ${token}`);
    return fetch(request, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  },
});

/** An answer, or nothing: it took too long, or the connection broke. */
async function answered<T>(call: Promise<T>): Promise<T | undefined> {
  return call.catch((error: unknown) => {
    console.error(`no answer: ${error}`);
    return undefined;
  });
}

async function wait(response: Response | undefined, reason: string): Promise<void> {
  const seconds = Number(response?.headers.get("Retry-After") ?? SECONDS);
  console.error(`${reason}; again in ${seconds} s`);
  await sleep(seconds * 1000);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "type" in body;
}

/** Prints title, detail and every message of a problem (RFC 9457), or of an order. */
function explain(body: Partial<Problem> & { state?: string }): void {
  const parts = [body.status, body.title, body.detail, body.state, body.requestId];
  console.error(parts.filter((part) => part !== undefined).join(" "));
  for (const message of body.messages ?? []) {
    console.error(`  ${message.type} ${message.number} ${message.message}`);
  }
}

/** Asks for an order that is still open (202), until it is settled. */
async function awaitOrder(accepted: Response, order: Order): Promise<Order | undefined> {
  for (let poll = 0; poll < POLLS; poll++) {
    await wait(accepted, `the order is ${order.state}`);
    const call = client.GET("/v2/purchase-orders/{id}", { params: { path: { id: order.id } } });
    const found = (await answered(call))?.data;
    if (found && SETTLED.includes(found.state)) return found;
  }
  return undefined;
}

async function send(cart: Cart): Promise<number> {
  let renewed = false;
  for (let attempt = 0; attempt < SENDS; attempt++) {
    const answer = await answered(client.POST("/v2/purchase-orders", { body: cart }));
    const status = answer?.response.status;
    let order: Order | undefined = answer?.data;
    if (answer && order && status === 202) {
      order = await awaitOrder(answer.response, order);
      if (!order) break;
    }
    if (order?.state === "created") {
      // 201: created now. 200: this cart had its order already.
      console.log(order.purchaseOrderNumber);
      return 0;
    }
    if (status === 401 && !renewed) {
      // The token may have expired on its way; a new one is tried once.
      renewed = true;
      token = await fetchToken();
    } else if (status === undefined || SEND_AGAIN.includes(status) || (status === 502 && !isProblem(answer?.error))) {
      // Whatever became of it: the same cart may always be sent again, and is one order. A 502 that is no problem of the
      // service is a gateway's page.
      await wait(answer?.response, `${status ?? "no answer"}`);
    } else {
      // 422: mistakes of the cart, or a refusal of 11VMS. 409: another cart has this id. 502: parked, a person has to look.
      // 400, 403, 413, 415: the request itself is wrong.
      explain(order ?? (isProblem(answer?.error) ? answer.error : { title: `${status} ${answer?.error}` }));
      return 1;
    }
  }
  console.error("no outcome yet; run this again later");
  return 2;
}

const file = process.argv[2];
if (!file) throw new Error("expected a file with a cart");
process.exitCode = await send(JSON.parse(await readFile(file, "utf8")) as Cart);
