import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Bytes that one end writes once it has read so many of the other's. Several: written together (writev). */
export interface Write {
  readonly afterReading?: number;
  readonly bytes: string | readonly string[];
}

export interface Exchange {
  readonly client: readonly Write[];
  readonly server: readonly Write[];
}

export interface ExchangePorts {
  readonly clientPort: number;
  readonly serverPort: number;
}

/** Writes that follow each other are kept apart for so long, so that each is a system call. */
const BETWEEN_WRITES_MS = 15;
const PATIENCE_MS = 60_000;

/** Two real sockets on loopback write what they are told to, byte for byte. */
export async function exchange(address: string, { client, server }: Exchange): Promise<ExchangePorts> {
  const listener = createServer({ noDelay: true });
  listener.listen(0, address);
  await once(listener, "listening");
  const { port: serverPort } = listener.address() as AddressInfo;
  try {
    const accepted = once(listener, "connection") as Promise<[Socket]>;
    const clientSocket = connect({ host: address, port: serverPort, localAddress: address, noDelay: true });
    await once(clientSocket, "connect");
    const [serverSocket] = await accepted;
    const clientPort = clientSocket.localPort ?? 0;
    const done = Promise.all([act(clientSocket, client, sizeOf(server)), act(serverSocket, server, sizeOf(client))]);
    await withDeadline(done);
    clientSocket.end();
    serverSocket.end();
    await withDeadline(Promise.all([once(clientSocket, "close"), once(serverSocket, "close")]));
    return { clientPort, serverPort };
  } finally {
    listener.close();
  }
}

async function act(socket: Socket, writes: readonly Write[], willRead: number): Promise<void> {
  let read = 0;
  socket.on("data", (bytes) => {
    read += bytes.length;
  });
  const untilRead = async (count: number): Promise<void> => {
    while (read < count && !socket.destroyed) await sleep(1);
  };
  for (const { afterReading = 0, bytes } of writes) {
    await untilRead(afterReading);
    await sleep(BETWEEN_WRITES_MS);
    if (typeof bytes === "string") socket.write(bytes, "latin1");
    else {
      socket.cork();
      for (const part of bytes) socket.write(part, "latin1");
      socket.uncork();
    }
  }
  await untilRead(willRead);
}

function sizeOf(writes: readonly Write[]): number {
  return writes.reduce((sum, { bytes }) => sum + (typeof bytes === "string" ? bytes : bytes.join("")).length, 0);
}

async function withDeadline<Value>(work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the exchange took more than ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    clearTimeout(timer);
  }
}
