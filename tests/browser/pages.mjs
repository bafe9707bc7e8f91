// Every page, in both sizes and schemes; the keyboard; every problem page by its link.
export async function run({ site }) {
  for (const [path, name] of [["/", "home"], ["/mapping", "mapping"], ["/problems", "problems"], ["/problems/invalid-cart", "problem"]]) {
    await site.lookEverywhere(path, name);
  }
  // Everything that can be opened is opened.
  await site.lookEverywhere("/mapping", "mapping-open", async (page) => {
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  });

  const home = await site.open("/");
  const height = await home.evaluate(() => document.documentElement.scrollHeight);
  site.holds(height <= 800, `/ is ${height} pixels high; expected one screen of 800`);
  await home.keyboard.press("Tab");
  const first = await home.evaluate(() => document.activeElement.textContent);
  site.holds(first === "Skip to the content", `the first Tab leads to ${first}`);
  await home.keyboard.press("Enter");
  const target = await home.evaluate(() => document.activeElement.id);
  site.holds(target === "content", `the skip link leads to ${target}`);
  for (const link of await home.locator("header nav a, .columns a, .flow a").evaluateAll((links) => links.map((one) => one.getAttribute("href")))) {
    const answer = await home.request.get(site.origin + link);
    site.holds(answer.status() === 200, `the link ${link} of / is answered with ${answer.status()}`);
  }

  const index = await site.open("/problems");
  const problems = await index.locator('tbody th a[href^="/problems/"]').evaluateAll((links) => links.map((one) => one.getAttribute("href")));
  site.holds(problems.length >= 28, `${problems.length} problems are listed`);
  for (const path of problems) {
    const page = await site.open(path);
    await site.look(page, path.slice(1).replaceAll("/", "-"));
    site.holds(await page.locator("h2", { hasText: "What to do" }).count() === 1, `${path} does not say what to do`);
    await page.context().close();
  }
}
