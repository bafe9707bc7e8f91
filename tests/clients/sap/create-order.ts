// Sends the cart of a file twice, with the client of SAP Cloud SDK's generator, and prints each answer's status and number.
import { readFileSync } from "node:fs";
import { PurchaseOrdersApi } from "./purchase-orders";
import type { Cart, PurchaseOrder } from "./purchase-orders";

async function main(file: string, url: string): Promise<void> {
  const cart = JSON.parse(readFileSync(file, "utf8")) as Cart;
  for (let call = 0; call < 2; call++) {
    const answer = await PurchaseOrdersApi.createPurchaseOrder(cart)
      .addCustomHeaders({ Authorization: `Bearer ${process.env.TOKEN}` })
      .executeRaw({ url });
    const order: PurchaseOrder = answer.data;
    console.log(`${answer.status} ${order.purchaseOrderNumber}`);
  }
}

main(process.argv[2] ?? "", process.env.PO_WEBHOOK_URL ?? "").catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
