/*
 * The demo's web server, run inside pod-web: `node demo-web-server.js PORT`. Ends when its standard input closes, so
 * that it cannot outlive the demo.
 */
import { createServer } from "node:http";

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "text/plain" });
  response.end(`hello from pod-web, you asked for ${request.url}\n`);
});
server.listen({ host: "0.0.0.0", port: Number(process.argv[2]) }, () => console.log("ready"));
process.stdin.resume().on("end", () => process.exit());
