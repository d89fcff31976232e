import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Frame, InventoryFrame, Journey } from "../../exporter/decode/frame.js";
import { createPodResolver } from "../../exporter/enrich/create-pod-resolver.js";
import { createWaitingRoom } from "../../exporter/enrich/create-waiting-room.js";
import { type FollowedPods, followPods } from "../../exporter/enrich/follow-pods.js";
import type { Identity } from "../../exporter/enrich/identity.js";
import { createPipeline, runPipeline } from "../../exporter/pipeline.js";
import { findTracer } from "../../exporter/tracer/find-tracer.js";
import { startTracer } from "../../exporter/tracer/start-tracer.js";
import { tracerFailure } from "../../exporter/tracer/tracer-failure.js";
import { type Cgroups, type FakePod, makePod, openCgroups } from "../lib/make-pod.js";
import { quietSink } from "../lib/quiet-sink.js";
import { whyNotLive } from "../lib/require-live.js";

/** Emulated guests and busy machines take their time. */
const PATIENCE_MS = 120_000;
const POLL_MS = 50;
const FIRST_PORT = 20_000;
/** Nobody else's on this machine, where real pods may be about. */
const ADDRESS = "127.83.66.1";
const skip = whyNotLive();

interface SeenPacket {
  readonly port: number;
  readonly identity: Identity;
  readonly cookie: bigint;
  readonly inode: number;
}

interface PodTrace {
  readonly packets: readonly SeenPacket[];
  readonly inventories: readonly InventoryFrame[];
  readonly followed: FollowedPods | undefined;
  /** Rejects when it does not become true in time. */
  until(what: string, condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
  /** Resolves when the tracer has ended by itself. */
  ended(): Promise<void>;
}

interface PodTraceOptions {
  /** Only these pods. */
  readonly uids?: readonly string[];
  readonly maxJourneys?: number;
  readonly tracerPath?: string;
}

/** Traces UDP packets to the ports of the tests, and names their namespaces without Kubernetes. */
async function startPodTrace({ uids, maxJourneys = 0, tracerPath }: PodTraceOptions = {}): Promise<PodTrace> {
  const tracer = startTracer({
    ...(tracerPath === undefined ? {} : { environment: { SKBSPAN_TRACER: tracerPath } }),
    arguments: [
      ...["--journeys", String(maxJourneys)],
      ...["--filter", `udp and dst host ${ADDRESS} and dst portrange ${FIRST_PORT}-${FIRST_PORT + 999}`],
      ...(uids ? ["--chosen-namespaces"] : []),
    ],
  });
  const packets: SeenPacket[] = [];
  const inventories: InventoryFrame[] = [];
  const resolver = createPodResolver({ describePod: () => ({}) });
  const selection = uids && { pods: uids, namespaces: [], selector: [], workloads: [] };
  const followed = selection && followPods({ resolver, selection, send: (command) => tracer.send(command) });
  let isAttached = false;
  const pipeline = createPipeline({
    sinks: [quietSink],
    resolver,
    waitingRoom: createWaitingRoom({ resolver, waitMs: 5_000 }),
    onFrame(frame: Frame) {
      if (frame.type === "clock") isAttached = true;
      if (frame.type === "inventory") inventories.push(frame);
    },
    onJourney: ({ journey, spans }) => packets.push(describe(journey, spans[0]?.shape.identity)),
  });
  let failure: unknown;
  const done = Promise.all([runPipeline(pipeline, tracer.stdout), tracer.exited]).then(([, exit]) => {
    if (exit.code !== 0) throw tracerFailure(exit);
  });
  done.catch((error: unknown) => {
    failure = error;
  });
  const until = async (what: string, condition: () => boolean): Promise<void> => {
    for (let waitedMs = 0; !condition(); waitedMs += POLL_MS) {
      if (failure) throw failure;
      assert.ok(
        waitedMs < PATIENCE_MS,
        `${what}: not within ${PATIENCE_MS} ms; seen ${JSON.stringify(packets.map(label))}`,
      );
      await sleep(POLL_MS);
    }
  };
  await until("the tracer is attached", () => isAttached);
  return {
    packets,
    inventories,
    followed,
    until,
    ended: () => done.then(() => {}),
    async stop() {
      tracer.stop();
      await done;
    },
  };
}

function describe({ contexts }: Journey, identity: Identity | undefined): SeenPacket {
  const [context] = contexts;
  assert.ok(context && identity);
  return {
    port: context.destinationPort,
    identity,
    cookie: context.netnsCookie,
    inode: context.netnsInode,
  };
}

const label = ({ port, identity }: SeenPacket): string => `${port} ${identity.label}`;

/** Told apart by their first digits, which the label shows. */
function uidOf(number: number): string {
  return `${number.toString(16).padStart(8, "0")}-1111-4222-8333-444455556666`;
}

const containerId = "ab".repeat(32);
const plainPath = (uid: string): string => `kubepods/burstable/pod${uid}/${containerId}`;
const slicePath = (uid: string): string =>
  `kubepods.slice/kubepods-pod${uid.replaceAll("-", "_")}.slice/cri-containerd-${containerId}.scope`;
/** Sends a packet to each port that it reads, and stays. */
const sendAsTold = `while read port; do echo x > /dev/udp/${ADDRESS}/$port; done`;

let cgroups: Cgroups;
const pods: FakePod[] = [];

function addPod(uid: string, options: { script?: string; version?: 1 | 2; path?: string } = {}): FakePod {
  const { script = sendAsTold, version = 2, path = plainPath(uid) } = options;
  const pod = makePod({ cgroups, path, version, script });
  pods.push(pod);
  return pod;
}

before(() => {
  if (!skip) cgroups = openCgroups();
});

after(async () => {
  for (const pod of pods) await pod.remove();
  if (!skip) cgroups.remove();
});

test("packets are their pods', those that were there before and those that came later, by cgroups of version 1 and 2", {
  skip,
}, async () => {
  const early = addPod(uidOf(1));
  const trace = await startPodTrace();
  const late = addPod(uidOf(2), { version: 1, path: slicePath(uidOf(2)) });
  const stranger = addPod(uidOf(3), { path: "system.slice/some.service" });
  early.write(`${FIRST_PORT + 1}`);
  late.write(`${FIRST_PORT + 2}`);
  stranger.write(`${FIRST_PORT + 3}`);
  await trace.until("a packet of each", () => new Set(trace.packets.map(({ port }) => port)).size === 3);
  await trace.stop();
  const labels = new Set(trace.packets.map(label));
  assert.ok(labels.has(`${FIRST_PORT + 1} pod 00000001`), [...labels].join());
  assert.ok(labels.has(`${FIRST_PORT + 2} pod 00000002`), [...labels].join());
  const foreign = trace.packets.find(({ port }) => port === FIRST_PORT + 3);
  assert.equal(foreign?.identity.kind, "unknown");
  const own = trace.packets.find(({ port }) => port === FIRST_PORT + 1);
  assert.deepEqual(own?.identity.attributes, {
    "service.name": "unknown-pod",
    "k8s.pod.uid": uidOf(1),
    "container.id": containerId,
  });
  const [first] = trace.inventories;
  assert.ok(
    first && first.method !== "none" && first.isLive && first.tasks > 1 && first.lost === 0,
    JSON.stringify(first, text),
  );
});

function text(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

test("50 pods that come, send a packet and are gone at once: each packet is its pod's, though inodes are used again", {
  skip,
}, async () => {
  const trace = await startPodTrace();
  for (let number = 100; number < 150; number++) {
    const pod = addPod(uidOf(number), { script: `echo x > /dev/udp/${ADDRESS}/${FIRST_PORT + number}` });
    await new Promise((resolve) => pod.process.on("close", resolve));
    await pod.remove();
  }
  await trace.until("a packet of each", () => new Set(trace.packets.map(({ port }) => port)).size === 50);
  await trace.stop();
  for (const packet of trace.packets)
    assert.equal(packet.identity.attributes["k8s.pod.uid"], uidOf(packet.port - FIRST_PORT), label(packet));
  assert.equal(new Set(trace.packets.map(({ cookie }) => cookie)).size, 50);
  const inodes = new Set(trace.packets.map(({ inode }) => inode)).size;
  assert.ok(inodes < 50, `${inodes} inodes: none came back, so this test has shown nothing`);
});

test("only packets of chosen pods become journeys, also of one that comes later", { skip }, async () => {
  const [chosen, other, later] = [uidOf(201), uidOf(202), uidOf(203)];
  const first = addPod(chosen);
  const second = addPod(other);
  const trace = await startPodTrace({ uids: [chosen, later] });
  await trace.until("the first is followed", () => trace.followed?.namespaces === 1);
  const sendUntil = async (pod: FakePod, port: number): Promise<void> => {
    // The command may still be on its way to the tracer: a packet or two may come too early.
    let sentMs = 0;
    await trace.until(`a packet to ${port}`, () => {
      if (Date.now() - sentMs > 1_000) {
        second.write(`${FIRST_PORT + 202}`);
        pod.write(`${port}`);
        sentMs = Date.now();
      }
      return trace.packets.some((packet) => packet.port === port);
    });
  };
  await sendUntil(first, FIRST_PORT + 201);
  await sendUntil(addPod(later), FIRST_PORT + 203);
  await trace.stop();
  assert.deepEqual([...new Set(trace.packets.map(label))].sort(), [
    `${FIRST_PORT + 201} pod 000000c9`,
    `${FIRST_PORT + 203} pod 000000cb`,
  ]);
});

test("a tracer in a container's namespaces, with two capabilities, sees the pods of the whole machine", {
  skip,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "skbspan-confined-"));
  const tracerPath = join(folder, "tracer");
  // As in a pod of the DaemonSet: a process namespace and /proc of its own, a network namespace of its own.
  writeFileSync(
    tracerPath,
    `#!/bin/sh
exec unshare --pid --fork --net --mount-proc setpriv --bounding-set -all,+bpf,+perfmon --inh-caps -all,+bpf,+perfmon ${findTracer()} "$@"
`,
    { mode: 0o755 },
  );
  try {
    const pod = addPod(uidOf(301));
    const trace = await startPodTrace({ tracerPath, maxJourneys: 1 });
    pod.write(`${FIRST_PORT + 301}`);
    await trace.ended();
    assert.deepEqual(trace.packets.map(label), [`${FIRST_PORT + 301} pod 0000012d`]);
    assert.ok((trace.inventories[0]?.tasks ?? 0) > 3, "more than are in its own process namespace");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
