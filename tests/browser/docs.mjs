// The docs page in a browser: a token, the sample cart, its order; the same cart again; the same with a token that does not do.

/** The status of the last call of an operation, and the body of its answer. */
async function executed(operation) {
  const answer = operation.locator(".live-responses-table .response").first();
  const status = Number.parseInt(await answer.locator(".response-col_status").innerText(), 10);
  const text = await answer.locator(".response-col_description").innerText();
  return { status, text };
}

/** Presses Execute and waits for the answer to that call. */
async function execute(page, operation) {
  const answered = page.waitForResponse((answer) => answer.request().method() === "POST" && answer.url().endsWith("/v2/purchase-orders"));
  await operation.getByRole("button", { name: "Execute" }).click();
  const status = (await answered).status();
  await operation.locator(".live-responses-table .response-col_status", { hasText: String(status) }).first().waitFor();
  return executed(operation);
}

/** `check(what, holds, found)` reports one expectation. */
export async function run({ site, page, base, check }) {
  // Swagger UI nests buttons, leaves its text area without a label, and has small targets: its markup is not ours to correct.
  await site.lookEverywhere("/docs", "docs", async (one) => {
    await one.locator("#operations-Purchase_orders-create_purchase_order textarea.body-param__text").waitFor();
  }, "#swagger-ui");
  let clicks = 1; // The link to the page.
  await page.goto(`${base}/docs`);
  const operation = page.locator("#operations-Purchase_orders-create_purchase_order");
  const cart = operation.locator("textarea.body-param__text");
  await cart.waitFor();

  await page.getByRole("button", { name: "Get a token" }).click();
  clicks += 1;
  const status = page.getByRole("status");
  await status.filter({ hasText: "The calls have a token" }).waitFor();
  check("the token has every scope", (await status.innerText()).includes("purchase-orders.operate"), await status.innerText());

  // A cart of one's own: the sample with another text. Its GUID is new on each load.
  const own = JSON.parse(await cart.inputValue());
  (own.CART ?? own).HEADER.DESCRIPTION = "Own cart";
  await cart.click();
  clicks += 1;
  await cart.fill(JSON.stringify(own, null, 2));
  const created = await execute(page, operation);
  clicks += 1;
  check("an own cart becomes an order", created.status === 201 && /"purchaseOrderNumber":\s*"\d+"/.test(created.text), created.text);
  check("in at most 6 clicks", clicks <= 6, clicks);

  const again = await execute(page, operation);
  check("the same cart is the same order", again.status === 200 && again.text.includes("idempotency-replayed: true"), again.text);
  return { clicks };
}
