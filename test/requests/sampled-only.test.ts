import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Journey } from "../../exporter/decode/frame.js";
import { startTraceSession } from "../kernels/start-trace-session.js";
import { whyNotLive } from "../lib/require-live.js";
import { type ExchangePorts, exchange } from "./exchange.js";

const ADDRESS = "127.86.66.1";
const PATIENCE_MS = 60_000;
const ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

function request(flags: string | undefined): string {
  const trace =
    flags === undefined ? "" : `traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flags}\r\n`;
  return `GET / HTTP/1.1\r\nhost: a\r\n${trace}\r\n`;
}

function ask(...requests: readonly string[]): Promise<ExchangePorts> {
  const read = (count: number): number => requests.slice(0, count).join("").length;
  return exchange(ADDRESS, {
    client: requests.map((bytes, index) => ({ bytes, afterReading: index * ANSWER.length })),
    server: requests.map((_, index) => ({ bytes: ANSWER, afterReading: read(index + 1) })),
  });
}

test("--sampled-only follows the packets of sampled requests alone", {
  skip: whyNotLive(),
  timeout: 300_000,
}, async () => {
  const journeys: Journey[] = [];
  const session = await startTraceSession(
    ["--sampled-only", "--filter", `tcp and host ${ADDRESS}`],
    (journey) => void journeys.push(journey),
  );
  const payloadsOf = ({ clientPort }: ExchangePorts, sender: "client" | "server"): number =>
    journeys.filter(({ contexts: [context] }) => {
      if (!context || (context.tcpFlags & 8) === 0) return false; // PSH: with data
      return (sender === "client" ? context.sourcePort : context.destinationPort) === clientPort;
    }).length;
  try {
    const unsampled = await ask(request("00"), request("00"));
    const plain = await ask(request(undefined));
    const changing = await ask(request("00"), request("01"), request("00"));
    const sampled = await ask(request("01"), request("01"));
    const deadlineMs = Date.now() + PATIENCE_MS;
    while (payloadsOf(sampled, "server") < 2 && Date.now() < deadlineMs) await sleep(50);
    await session.stop();
    assert.equal(payloadsOf(sampled, "client"), 2);
    assert.equal(payloadsOf(sampled, "server"), 2);
    assert.equal(payloadsOf(changing, "client"), 1);
    assert.equal(payloadsOf(changing, "server"), 1);
    for (const { clientPort } of [unsampled, plain])
      assert.deepEqual(
        journeys.filter(({ contexts: [context] }) =>
          [context?.sourcePort, context?.destinationPort].includes(clientPort),
        ),
        [],
      );
    assert.ok(session.state.stats.notSampled > 10);
  } finally {
    await session.stop();
  }
});
