// A broken sheet in the folder shows with its places while the one before stays in use, and is gone once it is repaired.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Opens the page until it holds; the folder is read once a second, and a change counts at the second look. */
async function until(site, holds) {
  const page = await site.open("/mapping");
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds(page)) return page.context().close();
    await page.waitForTimeout(200);
    await page.reload();
  }
  throw new Error("the page never showed it");
}

export async function run({ site }) {
  const sheet = join(site.mapping, "purchase-order.csv");
  const good = readFileSync(sheet, "utf8");
  const refused = async (page) => (await page.locator("#refused").count()) === 1;

  writeFileSync(sheet, good.replace("HEADER.CURRENCY,text", "HEADER.CURRENCY,txt").replace("table:units", "table:unit"));
  await until(site, refused);
  await site.lookEverywhere("/mapping", "mapping-broken", async (page) => {
    const text = await page.locator(".notice").textContent();
    for (const part of ["purchase-order.csv", "there is no tables/unit.csv"]) site.holds(text.includes(part), `${part} is missing in ${text}`);
    const lines = await page.locator(".notice td.number").allTextContents();
    site.holds(lines.join() === "13,23", `the mistakes are in lines 13 and 23, shown are ${lines}`);
    const columns = await page.locator(".notice td.number + td").allTextContents();
    site.holds(columns.join() === "as,as", `the mistakes are in the column as, shown are ${columns}`);
    site.holds(await page.locator("a", { hasText: "table:units" }).count() === 1, "the sheet before is not in use");
  });

  writeFileSync(sheet, good.split("\n").slice(0, 20).join("\n") + "\n");
  await until(site, async (page) => (await page.locator(".notice .badge.bad").count()) > 0);
  await site.lookEverywhere("/mapping", "mapping-differs");

  writeFileSync(sheet, good);
  await until(site, async (page) => !(await refused(page)));
}
