/*
 * The demo's client, run inside pod-client: `node demo-client.js SETTINGS`, with SETTINGS as JSON (DemoClientSettings).
 * Ends when its standard input closes, so that it cannot outlive the demo.
 */
import { createSocket } from "node:dgram";
import { request } from "node:http";
import { connect } from "node:net";
import type { DemoClientSettings } from "./demo-client-settings.js";

const BLOCKED_EVERY = 3;
const CLOSED_UDP_EVERY = 5;
/** Long enough for the first retransmission of a connection request, after a second. */
const GIVE_UP_MS = 1_500;

const settings = JSON.parse(process.argv[2] ?? "") as DemoClientSettings;
let round = 0;

function askService(): void {
  const { serviceAddress: host, servicePort: port } = settings;
  // A connection for each request: the handshake is part of what there is to see.
  const call = request({ host, port, path: `/hello?round=${round}`, agent: false, timeout: GIVE_UP_MS });
  call.on("response", (response) => response.resume());
  call.on("timeout", () => call.destroy());
  call.on("error", (error) => console.error(`the web service does not answer: ${error.message}`));
  call.end();
}

/** The firewall drops it: no answer, and after a second the kernel tries again. */
function tryBlockedPort(): void {
  const socket = connect({ host: settings.webAddress, port: settings.blockedPort, timeout: GIVE_UP_MS });
  socket.on("timeout", () => socket.destroy());
  socket.on("error", () => {});
  socket.on("connect", () => {
    console.error(`the firewall let port ${settings.blockedPort} through`);
    socket.destroy();
  });
}

/** Nobody listens: the web pod drops the packet and answers with ICMP. */
function sendToClosedPort(): void {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  socket.send("anybody there?", settings.closedUdpPort, settings.webAddress, () => socket.close());
}

function work(): void {
  askService();
  if (round % BLOCKED_EVERY === 0) tryBlockedPort();
  if (round % CLOSED_UDP_EVERY === 0) sendToClosedPort();
  round++;
}

work();
setInterval(work, settings.periodMs);
console.log("ready");
process.stdin.resume().on("end", () => process.exit());
