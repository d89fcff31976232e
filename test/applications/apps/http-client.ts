/*
 * node http-client.js TIMEOUT-MS URL ...
 *
 * Asks for one URL after the other, with keep-alive: those of one host go over one connection. A request that fails, or is not
 * answered in time, is no failure of this program.
 */
import http from "node:http";
import https from "node:https";

const [timeoutMs, ...urls] = process.argv.slice(2);
const agents = {
  "http:": new http.Agent({ keepAlive: true, maxSockets: 1 }),
  "https:": new https.Agent({ keepAlive: true, maxSockets: 1 }),
};

for (const url of urls) console.log(await ask(new URL(url)));
for (const agent of Object.values(agents)) agent.destroy();

function ask(url: URL): Promise<string> {
  return new Promise((resolve) => {
    const [client, agent] = url.protocol === "https:" ? [https, agents["https:"]] : [http, agents["http:"]];
    // A timeout of the request begins when it is connected.
    const signal = AbortSignal.timeout(Number(timeoutMs));
    const request = client.get(url, { agent, signal }, (response) => {
      response.resume().on("end", () => resolve(`${url} ${response.statusCode}`));
    });
    request.on("error", (error) => resolve(`${url} ${error.message}`));
  });
}
