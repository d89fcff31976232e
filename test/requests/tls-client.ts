/*
 * A process of its own that sends requests by Node.js over TLS, once a line comes on standard input: node tls-client.js KIND PORT
 *
 * http1   three on one connection, one after the other: 1, one without a trace context, 2 with a body of many records
 * http2   1, then 2 and 3 at once, then 4
 * elsewhere  1 to a server inside this process, no socket between them; meanwhile this thread writes to the socket of PORT what is
 *            no record, and a record that does not fit
 */
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { Agent, request } from "node:https";
import { connect as connectTcp } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";

const [kind = "", port = ""] = process.argv.slice(2);
const host = "127.0.0.1";
const LARGE_BODY = "x".repeat(100_000);

const traceparent = (number: number): string =>
  `00-${number.toString(16).padStart(32, "0")}-${number.toString(16).padStart(16, "0")}-01`;

async function sendHttp1(agent: Agent, number: number | undefined, body = ""): Promise<void> {
  const headers = number === undefined ? {} : { traceparent: traceparent(number) };
  const method = body === "" ? "GET" : "POST";
  const sent = request({ host, port, agent, method, headers, rejectUnauthorized: false });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [Duplex];
  response.resume();
  await once(response, "end");
}

async function sendAllHttp1(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await sendHttp1(agent, 1);
  await sendHttp1(agent, undefined);
  await sendHttp1(agent, 2, LARGE_BODY);
  agent.destroy();
}

async function sendAllHttp2(): Promise<void> {
  const session = connectHttp2(`https://${host}:${port}`, { rejectUnauthorized: false });
  const send = async (number: number): Promise<void> => {
    const stream = session.request({ ":path": "/", traceparent: traceparent(number) });
    stream.resume();
    await once(stream, "end");
  };
  await send(1);
  await Promise.all([send(2), send(3)]);
  await send(4);
  session.close();
}

/** The TLS session's other end: its bytes go to the server, but through a socket that another thread could have written to as well. */
async function sendElsewhere(): Promise<void> {
  const carrier = connectTcp({ host, port: Number(port) });
  await once(carrier, "connect");
  const held: Buffer[] = [];
  let isHolding = false;
  const pipe = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (isHolding) held.push(chunk);
      else carrier.write(chunk);
      done();
    },
  });
  carrier.on("data", (chunk) => pipe.push(chunk));
  const secure = connectTls({ socket: pipe, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
  await once(secure, "secureConnect");
  const other = connectTcp({ host, port: Number(port), noDelay: true });
  await once(other, "connect");
  other.on("error", () => {});
  other.resume();
  const otherPort = other.localPort ?? 0;
  isHolding = true;
  secure.write(`GET / HTTP/1.1\r\nhost: x\r\ntraceparent: ${traceparent(1)}\r\n\r\n`);
  // whether the server ends it or resets it
  const ends = new Promise((resolve) => other.on("close", resolve));
  other.write(Buffer.from([0x17, 3, 3, 0, 40, ...new Array<number>(40).fill(7)]));
  other.write("no record\n");
  await ends;
  console.log(otherPort, held.length);
  carrier.destroy();
}

await once(process.stdin, "data");
if (kind === "http1") await sendAllHttp1();
else if (kind === "http2") await sendAllHttp2();
else await sendElsewhere();
process.exit(0);
