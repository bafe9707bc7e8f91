// One flow's view of the service: pages that are watched, looks at them in every size and colour scheme, and what was found.
import { writeFileSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";

export const WIDTHS = [360, 1280];
export const SCHEMES = ["light", "dark"];

export class Site {
  constructor(browser, origin, screenshots, mapping) {
    Object.assign(this, { browser, origin, screenshots, mapping, findings: [], contexts: [], looks: 0, checks: 0 });
  }

  /** A new page of its own context; everything that goes wrong in it is a finding. */
  async page({ width = 1280, height = 800, scheme = "light" } = {}) {
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme: scheme });
    this.contexts.push(context);
    const page = await context.newPage();
    const found = (text) => this.findings.push(`${page.url()} ${width}px ${scheme}: ${text}`);
    page.on("console", (message) => {
      // The browser logs the status of an answer that is an error; flows look at those themselves.
      const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
      if (message.type() === "error" && !isStatus) found(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => found(`script: ${error}`));
    page.on("request", (request) => {
      if (!this.isOwn(request.url())) found(`a request to another host: ${request.url()}`);
    });
    await page.exposeFunction("reportViolation", (text) => found(`content security policy: ${text}`));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => globalThis.reportViolation(`${event.violatedDirective} ${event.blockedURI}`));
    });
    return page;
  }

  /** The same at a path. */
  async open(path, options) {
    const page = await this.page(options);
    await page.goto(this.origin + path);
    return page;
  }

  /** Whether a request stays with the service; a flow may name others, such as the token endpoint. */
  isOwn(url) {
    return [this.origin, ...(this.others ?? [])].some((own) => url.startsWith(own + "/"));
  }

  /** Looks at a page as it is now: accessibility and width; takes a picture. */
  async look(page, name) {
    this.looks += 1;
    const found = (text) => this.findings.push(`${name}: ${text}`);
    const { scroll, width } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, width: document.documentElement.clientWidth }));
    if (scroll > width) found(`the page is ${scroll} pixels wide in a window of ${width}`);
    const axe = new AxeBuilder({ page });
    const { violations } = await axe.withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
    for (const { id, impact, nodes, help } of violations) {
      const grave = impact === "serious" || impact === "critical";
      if (grave) found(`axe, ${impact}: ${id}, ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
    }
    writeFileSync(`${this.screenshots}/${name}.png`, await page.screenshot({ fullPage: false }));
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    // A picture of the reference is too long to be looked at.
    if (height < 20000) writeFileSync(`${this.screenshots}/${name}-whole.png`, await page.screenshot({ fullPage: true }));
  }

  /** Opens a path in every size and scheme, and looks at each. */
  async lookEverywhere(path, name, before = async () => {}) {
    for (const width of WIDTHS) {
      for (const scheme of SCHEMES) {
        const page = await this.open(path, { width, scheme });
        await before(page);
        await this.look(page, `${name}-${width}-${scheme}`);
        await page.context().close();
      }
    }
  }

  /** States what has to be so; the text is told if it is not. */
  holds(holds, text) {
    this.checks += 1;
    if (!holds) this.findings.push(text);
  }

  async close() {
    for (const context of this.contexts) await context.close().catch(() => {});
  }

  summary() {
    return `${this.looks} looks, ${this.checks} checks, ${this.findings.length} findings`;
  }
}
