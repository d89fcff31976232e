/*
 * The senders and receivers of the scenarios, run inside a namespace: `node traffic.js COMMAND ARGUMENTS`.
 * What a sender found out goes to standard output as one line of JSON.
 */
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";

const MAX_WAIT_MS = 5_000;

const commands: Readonly<Record<string, (...args: string[]) => void>> = {
  /** Answers every connection with the number of bytes it got, once the other side has ended. */
  "serve-tcp": (port) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      let bytes = 0;
      socket.on("data", (chunk) => {
        bytes += chunk.length;
      });
      socket.on("end", () => socket.end(`${bytes}\n`));
      socket.on("error", () => socket.destroy());
    });
    server.listen({ host: "::", port: Number(port) }, () => console.log("ready"));
    server.on("error", () => server.listen({ host: "0.0.0.0", port: Number(port) }));
  },

  /** {"answer": "..."} or {"error": "ECONNREFUSED"}. */
  "send-tcp": (address, port, bytes = "100") => {
    const socket = connect({ host: address ?? "", port: Number(port), timeout: MAX_WAIT_MS, allowHalfOpen: true });
    let answer = "";
    socket.on("connect", () => socket.end(Buffer.alloc(Number(bytes), "x")));
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("timeout", () => socket.destroy(new Error("timeout")));
    socket.on("error", (error) => report({ error: (error as NodeJS.ErrnoException).code ?? error.message }));
    socket.on("end", () => report({ answer: answer.trim() }));
  },

  "receive-udp": (port) => {
    const socket = createSocket({ type: "udp4" }, (message) => report({ bytes: message.length }));
    socket.bind(Number(port), () => console.log("ready"));
  },

  /** Holds a socket with a small buffer and never reads from it. */
  "ignore-udp": (port, bufferBytes) => {
    const socket = createSocket({ type: "udp4", recvBufferSize: Number(bufferBytes) });
    socket.bind(Number(port), () => {
      console.log("ready");
      // Reading happens in the event loop, which never runs again. A signal ends us all the same.
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000));
    });
  },
};

function report(result: object): void {
  console.log(JSON.stringify(result));
}

const [, , name = "", ...args] = process.argv;
const command = commands[name];
if (command === undefined) throw new Error(`unknown command "${name}"; there are: ${Object.keys(commands).join(", ")}`);
command(...args);
