// Starts `dev`, and runs every flow in a browser: each file of FLOWS exports `run({ site, page, base, check })`, where `page`
// is one of a fresh context, `base` the service's address, and `check(what, holds, found)` reports an expectation; site.mjs has more.
//
// A page that logs an error, breaks its content security policy, asks another host or is wider than the window fails, whatever its
// flow looks at.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { Site } from "./site.mjs";

const FLOWS = ["pages.mjs", "first-call.mjs", "docs.mjs", "preview.mjs", "mapping.mjs"];

const [binary, screenshots] = process.argv.slice(2);
mkdirSync(screenshots, { recursive: true });
// `dev` uses the mapping of its working directory: flows may change this copy.
const folder = mkdtempSync(join(tmpdir(), "browser-"));
cpSync("mapping", join(folder, "mapping"), { recursive: true });

/** Starts the stack; resolves with the service's address once the sample cart was answered. */
function startDev() {
  const dev = spawn(resolve(binary), ["dev"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const address = new Promise((started, reject) => {
    let service, issuer;
    createInterface({ input: dev.stdout }).on("line", (line) => {
      issuer ??= line.match(/^issuer +(http:\/\/[^/\s]+)/)?.[1];
      service ??= line.match(/^service +(http:\S+)/)?.[1];
      if (line.startsWith("Stop: ")) started({ service, issuer });
    });
    dev.on("exit", (code) => reject(new Error(`dev ended with ${code}`)));
  });
  return { dev, address };
}

const { dev, address } = startDev();
let failed = 0;
try {
  const { service: origin, issuer } = await address;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  const flows = FLOWS.filter((file) => !process.env.FLOW || file === `${process.env.FLOW}.mjs`);
  for (const file of flows) {
    const site = new Site(browser, origin, screenshots, join(folder, "mapping"));
    // The docs page asks the sandbox's token endpoint, which is another port of this host.
    site.others = [issuer];
    try {
      const { run } = await import(`./${file}`);
      const check = (what, holds, found) => site.holds(holds, `not so: ${what}; found ${found}`);
      await run({ site, page: await site.page(), base: origin, check });
    } catch (error) {
      site.findings.push(error.stack ?? String(error));
    }
    await site.close();
    failed += site.findings.length;
    console.log(`${site.findings.length ? "FAILED" : "ok"} ${file}: ${site.summary()}`);
    site.findings.forEach((finding) => console.log(`  ${finding}`));
  }
  if (!flows.length) failed += 1;
  await browser.close();
} finally {
  dev.removeAllListeners("exit");
  dev.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
