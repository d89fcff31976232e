/*
 * node http-server.js PORT [KEY-FILE CERTIFICATE-FILE]
 *
 * Answers every request with its path; /large with 30,000 bytes.
 */
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";

const [port, keyFile, certificateFile] = process.argv.slice(2);

const answer: RequestListener = (request, response) => {
  request.resume().on("end", () => response.end(request.url === "/large" ? "x".repeat(30_000) : `${request.url}\n`));
};
const server =
  keyFile === undefined || certificateFile === undefined
    ? createServer(answer)
    : createSecureServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, answer);
// The client of a slow guest is late with its next request.
server.keepAliveTimeout = 120_000;
server.listen(Number(port), "0.0.0.0", () => console.log("ready"));
