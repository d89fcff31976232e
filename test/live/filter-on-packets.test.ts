import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Journey } from "../../exporter/decode/frame.js";
import { createLab, type Lab } from "../../exporter/demo/lab/create-lab.js";
import { startTraceSession, type TraceSession } from "../kernels/start-trace-session.js";
import { whyNotLive } from "../lib/require-live.js";
import { readCapture } from "./read-capture.js";

/*
 * The filter on real packets: tcpdump captures them all, and for each expression what `tcpdump -r` selects of its capture must
 * be what the tracer followed. All tracers run at once, each with one expression.
 */

const LAB_ONLY = "(net 10.209.77.0/24 or net fd77::/64)";
const expressions = [
  "tcp",
  "udp and greater 500",
  "icmp or icmp6",
  "arp",
  "ip6 and not icmp6",
  "tcp[tcpflags] & (tcp-syn|tcp-rst) != 0 and port 7004",
  "dst port 7002 or src port 7002",
  "ip[8] < 64 or ip[2:2] > 1000",
  "ether dst 02:00:00:00:77:02",
] as const;

/** Sends something of everything; the other side answers with echo replies, RSTs and unreachables. */
const SENDER = `
  const udp = require("dgram").createSocket("udp4");
  const tcp = (host) => require("net").connect(7004, host).on("error", () => {});
  udp.bind(7009, () => {
    udp.send("x", 7001, "10.209.77.2");
    udp.send("y".repeat(600), 7002, "10.209.77.2");
    udp.send("z".repeat(1200), 7003, "10.209.77.2");
    udp.setTTL(9);
    udp.send("t", 7002, "10.209.77.2");
    tcp("10.209.77.2");
    tcp("fd77::2");
    setTimeout(() => process.exit(), 500);
  });`;

describe("the filter on real packets", { skip: whyNotLive(), timeout: 900_000 }, () => {
  const captureFile = join(tmpdir(), `skbspan-filter-${process.pid}.pcap`);
  const journeys = new Map<string, Journey[]>(expressions.map((expression) => [expression, []]));
  let lab: Lab;

  before(async () => {
    lab = await createLab();
    await connectPair(lab);
    const capture = await lab.start("left", ["tcpdump", "-i", "eth0", "-U", "-w", captureFile]);
    const sessions: TraceSession[] = [];
    try {
      for (const expression of expressions)
        sessions.push(
          await startTraceSession(["--filter", `(${expression}) and ${LAB_ONLY}`], (journey) =>
            journeys.get(expression)?.push(journey),
          ),
        );
      for (const target of ["10.209.77.2", "fd77::2"]) await lab.run("left", ["ping", "-c1", "-W5", target]);
      await lab.require("left", [process.execPath, "-e", SENDER]);
      await sleep(1_000);
    } finally {
      for (const session of sessions) await session.stop();
      await capture.stop();
    }
  });

  after(async () => {
    await lab?.close();
    rmSync(captureFile, { force: true });
  });

  for (const expression of expressions)
    it(expression, () => {
      const selected = execFileSync("tcpdump", ["-r", captureFile, "-w", "-", `(${expression}) and ${LAB_ONLY}`], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      const expected = readCapture(selected);
      assert.ok(expected.length > 0, "tcpdump selects nothing: the test sends nothing that this expression matches");
      assert.deepEqual((journeys.get(expression) ?? []).map(describeJourney).sort(), expected.sort());
    });

  it("selects some and leaves some", () => {
    const all = readCapture(readFileSync(captureFile)).length;
    for (const [expression, list] of journeys) assert.ok(list.length < all, `${expression}: ${list.length} of ${all}`);
  });
});

async function connectPair(lab: Lab): Promise<void> {
  for (const name of ["left", "right"]) await lab.addNamespace(name, { ipv6: true });
  await lab.connect(
    { namespace: "left", interface: "eth0", address: ["10.209.77.1/24", "fd77::1/64"] },
    { namespace: "right", interface: "eth0", address: ["10.209.77.2/24", "fd77::2/64"] },
  );
  await lab.ip("right", "link", "set", "eth0", "address", "02:00:00:00:77:02");
  await sleep(2_500); // duplicate address detection
}

/** What stays the same from the first look to the wire, in the words of read-capture.ts. */
function describeJourney(journey: Journey): string {
  const first = journey.contexts[0];
  assert.ok(first, "a journey without a context");
  if (first.ethertype === 0x0806) return `arp ${first.arpOperation} ${first.sourceAddress} ${first.destinationAddress}`;
  const ports = first.transport === 6 || first.transport === 17 ? ` ${first.sourcePort} ${first.destinationPort}` : "";
  const id = first.ipVersion === 4 ? first.ipId : 0;
  return `ip${first.ipVersion} ${first.transport} id ${id} length ${first.lengthBytes}${ports}`;
}
