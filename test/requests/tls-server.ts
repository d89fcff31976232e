/* A process of its own that answers HTTP/1.1 and HTTP/2 over TLS: node tls-server.js KEY CERTIFICATE */
import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";

const [keyFile = "", certificateFile = ""] = process.argv.slice(2);
const options = { key: readFileSync(keyFile), cert: readFileSync(certificateFile), allowHTTP1: true };
const server = createSecureServer(options, (request, response) => {
  request.resume();
  request.on("end", () => response.end("an answer\n"));
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
