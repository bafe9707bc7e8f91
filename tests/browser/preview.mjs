// Paste a cart: the sample becomes an order; a broken one shows its mistakes; what is no JSON shows where. By keyboard alone.
const submit = async (page) => {
  await page.locator("#cart").focus();
  await page.keyboard.press("Tab");
  await Promise.all([page.waitForLoadState("load"), page.waitForNavigation(), page.keyboard.press("Enter")]);
};

export async function run({ site }) {
  await site.lookEverywhere("/preview", "preview");
  await site.lookEverywhere("/preview", "preview-order", async (page) => {
    await submit(page);
    const order = JSON.parse(await page.locator("#order").textContent());
    site.holds(order.externalNumber === "1000004717" && order.lines.length === 3, `the order is ${JSON.stringify(order)}`);
    site.holds(await page.locator(".sheet tbody tr").count() > 20, "the sources of the fields are missing");
  });
  await site.lookEverywhere("/preview", "preview-mistakes", async (page) => {
    const cart = JSON.parse(await page.locator("#cart").inputValue());
    delete cart.header.zzSalesOrg;
    cart.item[0].quantity = "many";
    cart.item[1].unit = "<script>alert(1)</script>";
    await page.locator("#cart").fill(JSON.stringify(cart, null, 1));
    await submit(page);
    const rows = await page.locator("#messages tbody tr").allTextContents();
    const texts = rows.join("\n");
    site.holds(rows.length >= 3, `mistakes: ${texts}`);
    for (const part of ["ZZ_SALES_ORG", "QUANTITY", "UNIT"]) site.holds(texts.includes(part), `${part} is missing in ${texts}`);
    site.holds((await page.locator("#cart").inputValue()).includes("<script>"), "the cart is not shown again as it was sent");
  });
  await site.lookEverywhere("/preview", "preview-no-json", async (page) => {
    await page.locator("#cart").fill('{"HEADER": {\n  "OBJECT_ID": 1,,\n}}');
    await submit(page);
    const text = await page.locator(".notice").textContent();
    site.holds(text.includes("line 2, column"), `the place is missing in ${text}`);
  });
}
