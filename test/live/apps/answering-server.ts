/*
 * node answering-server.js PORT
 *
 * Answers what asking-client.js asks as soon as it has it: a request for /download with 10^9 bytes, any other with two.
 */
import { createServer, type Socket } from "node:net";

const DOWNLOAD_BYTES = 1e9;
const END_OF_HEAD = "\r\n\r\n";
const answer = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
const part = Buffer.alloc(1024 * 1024, "x");

const server = createServer({ noDelay: true }, (socket) => {
  // The client goes when it has all.
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes) => {
    if (bytes.includes("GET /download ")) return void send(socket);
    for (let at = bytes.indexOf(END_OF_HEAD); at >= 0; at = bytes.indexOf(END_OF_HEAD, at + 1)) socket.write(answer);
  });
});
server.listen(Number(process.argv[2]), () => console.log("ready"));

function send(socket: Socket): void {
  let left = DOWNLOAD_BYTES;
  socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${left}\r\n\r\n`);
  const more = (): void => {
    while (left > 0) {
      const bytes = Math.min(left, part.length);
      left -= bytes;
      if (!socket.write(part.subarray(0, bytes))) return void socket.once("drain", more);
    }
  };
  more();
}
