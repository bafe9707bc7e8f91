// The docs page in a browser: in every state, to the eye and to the ear; a token, an own cart, its order, the same cart again; the
// way from a problem to its operation.

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

const sendOperation = (page) => page.locator("#operations-Purchase_orders-create_purchase_order");

/** Waits until the sample cart can be sent, and has the page get a token. */
async function getToken(page) {
  await sendOperation(page).locator("textarea.body-param__text").waitFor();
  await page.getByRole("button", { name: "Get a token" }).click();
  const status = page.getByRole("status");
  await status.filter({ hasText: "The calls have a token" }).waitFor();
  return status.innerText();
}

/** Opens the dialogue of tokens, which has one. */
async function openAuthorizations(page) {
  await getToken(page);
  await page.locator(".auth-wrapper .btn.authorize").first().click();
  await page.locator(".modal-ux").waitFor();
}

/** Opens an operation of each form (parameters of the query, a body, a server of its own), and some schemas. */
async function openMore(page) {
  await sendOperation(page).locator("textarea.body-param__text").waitFor();
  for (const id of ["Purchase_orders-list_purchase_orders", "Operation-resolve_purchase_order", "Health-metrics"]) {
    await page.locator(`#operations-${id} .opblock-summary-control`).click();
    await page.locator(`#operations-${id} .responses-table`).waitFor();
  }
  await page.locator(".models-control").click();
  await page.locator(".models .json-schema-2020-12-accordion").first().waitFor();
  await page.evaluate(() => Array.from(document.querySelectorAll(".models .json-schema-2020-12-expand-deep-button")).slice(0, 8).forEach((one) => one.click()));
}

/** `check(what, holds, found)` reports one expectation. */
export async function run({ site, page, base, check }) {
  await site.lookEverywhere("/docs", "docs", async (one) => {
    await getToken(one);
    await execute(one, sendOperation(one));
  });
  // These take long: each width and each scheme once.
  for (const [width, scheme] of [[360, "light"], [1280, "dark"]]) {
    for (const [name, prepare] of [["docs-authorizations", openAuthorizations], ["docs-open", openMore]]) {
      const one = await site.open("/docs", { width, scheme });
      await prepare(one);
      await site.look(one, `${name}-${width}-${scheme}`);
      await one.context().close();
    }
  }

  let clicks = 1; // The link to the page.
  await page.goto(`${base}/docs`);
  const operation = sendOperation(page);
  const cart = operation.locator("textarea.body-param__text");

  const status = await getToken(page);
  clicks += 1;
  check("the token has every scope", status.includes("purchase-orders.operate"), status);

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

  const problem = await site.open("/problems/already-settled");
  await problem.getByRole("link", { name: "POST /v2/purchase-orders/{id}/resolve" }).click();
  await problem.locator("#operations-Operation-resolve_purchase_order.is-open").waitFor();
  return { clicks };
}
