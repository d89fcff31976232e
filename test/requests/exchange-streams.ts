import { once } from "node:events";
import { connect, createServer, type OutgoingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { connect as connectSocket } from "node:net";
import { buffer } from "node:stream/consumers";
import type { ExchangePorts } from "./exchange.js";

export interface StreamRequest {
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
}

const ANSWER = "x".repeat(20_000);

/** All requests at once on one connection, answered in the reverse order. */
export async function exchangeStreams(address: string, requests: readonly StreamRequest[]): Promise<ExchangePorts> {
  const server = createServer();
  const waiting: (() => void)[] = [];
  server.on("stream", (stream) => {
    stream.resume();
    waiting.push(() => {
      stream.respond({ ":status": 200 });
      stream.end(ANSWER);
    });
    if (waiting.length === requests.length) for (const answer of waiting.reverse()) answer();
  });
  server.listen(0, address);
  await once(server, "listening");
  const { port: serverPort } = server.address() as AddressInfo;
  const socket = connectSocket({ host: address, port: serverPort, localAddress: address });
  const session = connect(`http://${address}:${serverPort}`, { createConnection: () => socket });
  try {
    await once(session, "connect");
    const clientPort = socket.localPort ?? 0;
    await Promise.all(
      requests.map(async ({ headers, body }) => {
        const stream = session.request({ ":method": "POST", ...headers });
        stream.end(body);
        await buffer(stream);
      }),
    );
    return { clientPort, serverPort };
  } finally {
    session.close();
    server.close();
  }
}
