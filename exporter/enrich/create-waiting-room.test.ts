import assert from "node:assert/strict";
import { test } from "node:test";
import type { Context, Journey } from "../decode/frame.js";
import type { PodResolver } from "./create-pod-resolver.js";
import { createWaitingRoom } from "./create-waiting-room.js";

const MS = 1_000_000n;

interface FakeResolver {
  readonly resolver: PodResolver;
  settle(cookie: bigint): void;
}

function resolverWith(...pending: readonly bigint[]): FakeResolver {
  const left = new Set(pending);
  const listeners: ((key: bigint | undefined) => void)[] = [];
  const resolver = {
    expectsPods: true,
    isPending: ({ cookie }: { cookie: bigint }) => left.has(cookie),
    giveUp: ({ cookie }: { cookie: bigint }) => void left.delete(cookie),
    onChange: (listener: (key: bigint | undefined) => void) => void listeners.push(listener),
  } as unknown as PodResolver;
  return {
    resolver,
    settle(cookie) {
      left.delete(cookie);
      for (const listener of listeners) listener(cookie);
    },
  };
}

function journey(endMs: number, ...cookies: readonly bigint[]): Journey {
  const contexts = cookies.map((netnsCookie) => ({ netnsCookie, netnsInode: 1 }) as Context);
  return { startMonotonicNs: BigInt(endMs) * MS - 10n, durationNs: 10, contexts } as unknown as Journey;
}

test("only a journey through a namespace whose owner is pending waits, until that is known", () => {
  const { resolver, settle } = resolverWith(5n, 6n);
  const room = createWaitingRoom({ resolver, waitMs: 2000 });
  const waiting = journey(100, 1n, 5n);
  const both = journey(101, 5n, 6n);
  assert.equal(room.takes(journey(99, 1n)), false);
  assert.equal(room.takes(waiting), true);
  assert.equal(room.takes(both), true);
  assert.deepEqual(room.release(200n * MS), []);
  settle(5n);
  assert.deepEqual(room.release(200n * MS), [waiting]);
  settle(6n);
  assert.deepEqual(room.release(200n * MS), [both]);
  assert.deepEqual(room.stats(), { waiting: 0, waited: 2, settled: 2, overdue: 0, crowdedOut: 0 });
});

test("when the time is up it leaves without a name, and no later journey waits for the same", () => {
  const { resolver } = resolverWith(5n);
  const room = createWaitingRoom({ resolver, waitMs: 2000 });
  const first = journey(100, 5n);
  assert.equal(room.takes(first), true);
  assert.deepEqual(room.release(2099n * MS), []);
  assert.deepEqual(room.release(2100n * MS), [first]);
  assert.equal(room.takes(journey(2200, 5n)), false);
  assert.deepEqual(room.stats(), { waiting: 0, waited: 1, settled: 0, overdue: 1, crowdedOut: 0 });
});

test("a journey that comes late itself, such as one that expired, waits as long as others", () => {
  const { resolver } = resolverWith(5n);
  const room = createWaitingRoom({ resolver, waitMs: 2000 });
  room.release(50_000n * MS);
  assert.equal(room.takes(journey(20_000, 5n)), true);
  assert.deepEqual(room.release(51_000n * MS), []);
  assert.equal(room.release(52_000n * MS).length, 1);
});

test("when too many wait the oldest leave without a name; nothing is lost", () => {
  const { resolver } = resolverWith(5n);
  const room = createWaitingRoom({ resolver, waitMs: 2000, maxJourneys: 2 });
  const journeys = [1, 2, 3, 4].map((endMs) => journey(endMs, 5n));
  for (const one of journeys) room.takes(one);
  assert.deepEqual(room.release(5n * MS), journeys.slice(0, 2));
  assert.deepEqual(room.releaseAll(), journeys.slice(2));
  assert.deepEqual(room.stats(), { waiting: 0, waited: 4, settled: 0, overdue: 2, crowdedOut: 2 });
});

test("with no time to wait nothing waits", () => {
  const { resolver } = resolverWith(5n);
  assert.equal(createWaitingRoom({ resolver, waitMs: 0 }).takes(journey(1, 5n)), false);
});
