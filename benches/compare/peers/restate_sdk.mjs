// A handler of Restate, keyed by the cart's GUID: forwards the order in ctx.run, so that Restate has its number before it answers.
// node restate_sdk.mjs '{"port": …, "vmsPort": …, "tokenUrl": …}'

// Node 20 lacks it, and the SDK uses it.
Promise.withResolvers ??= () => {
  let resolve, reject;
  const promise = new Promise((done, failed) => { resolve = done; reject = failed; });
  return { promise, resolve, reject };
};

const restate = await import("@restatedev/restate-sdk");
const { Vms, orderOf } = await import("./order.mjs");

const settings = JSON.parse(process.argv[2]);
const vms = await Vms.connect(settings.vmsPort, settings.tokenUrl);

const orders = restate.object({
  name: "orders",
  handlers: {
    create: async (ctx, cart) => {
      const order = orderOf(cart);
      const number = await ctx.run("forward", () => vms.create(order));
      return { id: order.externalId, state: "created", purchaseOrderNumber: number };
    },
  },
});
await restate.endpoint().bind(orders).listen(settings.port);
