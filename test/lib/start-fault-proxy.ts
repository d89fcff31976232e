import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A TCP connection in between, on loopback, that can be broken in the ways networks break. */
export interface FaultProxy {
  readonly port: number;
  readonly connections: number;
  /** Resets the connection that next has carried so many bytes to the server. */
  resetAfter(bytes: number): void;
  /** From now on the connections that are open carry nothing, and say nothing of it; new ones do. */
  stallOpen(): void;
  /** Ends the connections that are open, and each new one at once; or no longer does. */
  refuse(isRefusing: boolean): void;
  stop(): void;
}

export async function startFaultProxy(context: TestContext, targetPort: number): Promise<FaultProxy> {
  const open = new Set<Socket>();
  let connections = 0;
  let resetAfterBytes: number | undefined;
  let isRefusing = false;
  const server = createServer((client) => {
    connections++;
    if (isRefusing) return void client.resetAndDestroy();
    const upstream = connect(targetPort, "127.0.0.1");
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    let carried = 0;
    client.on("data", (bytes) => {
      carried += bytes.length;
      if (resetAfterBytes !== undefined && carried >= resetAfterBytes) {
        resetAfterBytes = undefined;
        client.resetAndDestroy();
      } else upstream.write(bytes);
    });
    upstream.on("data", (bytes) => client.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  context.after(stop);
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    resetAfter(bytes) {
      resetAfterBytes = bytes;
    },
    stallOpen() {
      for (const socket of open) socket.removeAllListeners("data").pause();
    },
    refuse(isWanted) {
      isRefusing = isWanted;
      if (isWanted) for (const socket of open) socket.resetAndDestroy();
    },
    stop,
  };
}
