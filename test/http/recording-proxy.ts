import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What went over one connection. */
export interface RecordedConnection {
  readonly requests: Buffer;
  readonly responses: Buffer;
}

export interface RecordingProxy {
  readonly port: number;
  /** Ends it; the connections in the order in which they were made. */
  close(): Promise<readonly RecordedConnection[]>;
}

/** Passes TCP connections on to a port of loopback and keeps their bytes. */
export async function startRecordingProxy(targetPort: number): Promise<RecordingProxy> {
  const connections: { requests: Buffer[]; responses: Buffer[] }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const kept = { requests: [] as Buffer[], responses: [] as Buffer[] };
    connections.push(kept);
    const far = connect(targetPort, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy()); // the other end sees it, and the test what is missing
      socket.on("close", () => sockets.delete(socket));
    }
    near.on("data", (bytes) => kept.requests.push(bytes));
    far.on("data", (bytes) => kept.responses.push(bytes));
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
      return connections.map(({ requests, responses }) => ({
        requests: Buffer.concat(requests),
        responses: Buffer.concat(responses),
      }));
    },
  };
}
