// 11VMS that takes its time: node slow.mjs PORT MILLISECONDS
import { createServer } from "node:http";

const [port, delay] = process.argv.slice(2).map(Number);
let number = 0;

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => setTimeout(() => {
    const body = JSON.stringify({ poNumber: `46${++number}`, status: "CREATED" });
    response.writeHead(201, { "content-type": "application/json", "content-length": body.length }).end(body);
  }, delay));
});
server.keepAliveTimeout = 3_600_000;
server.requestTimeout = 0;
server.listen(port, "127.0.0.1", 4096);
