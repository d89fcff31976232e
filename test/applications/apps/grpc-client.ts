/*
 * node grpc-client.js ADDRESS TOGETHER APART
 *
 * Calls once, which opens the connection, then TOGETHER times at once, then APART times, each while the one before is not answered yet.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { credentials, makeGenericClientConstructor, type ServiceError } from "@grpc/grpc-js";
import { echoService } from "./echo-service.js";

const APART_MS = 50;

const [address = "", together, apart] = process.argv.slice(2);
const Client = makeGenericClientConstructor(echoService, "Echo");
const client = new Client(address, credentials.createInsecure());

await call();
await Promise.all(Array.from({ length: Number(together) }, call));
const calls: Promise<void>[] = [];
for (let count = 0; count < Number(apart); count++) {
  calls.push(call());
  await sleep(APART_MS);
}
await Promise.all(calls);
client.close();

function call(): Promise<void> {
  const deadline = Date.now() + 60_000;
  return new Promise((resolve, reject) => {
    const answer = (error: ServiceError | null): void => (error === null ? resolve() : reject(error));
    client["echo"]?.(Buffer.from("a call"), { deadline }, answer);
  });
}
