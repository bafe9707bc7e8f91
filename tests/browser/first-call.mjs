// The first call of `/` works as it is pasted: it gets a token of the sandbox, and its cart becomes an order.
import { execFileSync } from "node:child_process";

export async function run({ site }) {
  const page = await site.open("/");
  const command = await page.locator("#first-call").textContent();
  for (const expected of ["HTTP/1.1 201", "HTTP/1.1 200"]) {
    const answer = execFileSync("bash", ["-c", command], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    site.holds(answer.startsWith(expected), `expected ${expected}: ${answer.slice(0, 400)}`);
    site.holds(/"purchaseOrderNumber":"\d+"/.test(answer), `no number: ${answer.slice(-400)}`);
  }
}
