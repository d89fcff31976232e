import assert from "node:assert/strict";
import { test } from "node:test";
import type { JourneySpans } from "../map/packet-span.js";
import { createSessionManager, MAX_SESSIONS, type Starter } from "./create-session-manager.js";
import { readSessionSpec } from "./session-spec.js";
import { estimateCostNs, type Session, type SessionEnd } from "./start-session.js";

const spec = readSessionSpec({}, "shop");

/** Sessions without a tracer: the manager does not look into them. */
function createStarter() {
  const journeys: ((spans: JourneySpans) => void)[] = [];
  const start: Starter = (_, onJourney) => {
    journeys.push(onJourney);
    let end = (_: SessionEnd): void => {};
    const session: Session = {
      counts: () => ({ seen: 0, kept: 0, lost: 0 }),
      ended: new Promise((resolve) => {
        end = resolve;
      }),
      stop: (reason) => end({ isFailure: false, reason }),
    };
    return session;
  };
  return { start, journeys };
}

test("sessions are bounded in number, one of a name, and end with the manager", async () => {
  const { start } = createStarter();
  const manager = createSessionManager(start);
  const first = manager.start({ id: "shop/a", spec });
  assert.ok(typeof first === "object");
  assert.match(String(manager.start({ id: "shop/a", spec })), /there is a session shop\/a already/);
  for (let index = 1; index < MAX_SESSIONS; index++)
    assert.ok(typeof manager.start({ id: `shop/${index}`, spec }) === "object");
  assert.match(String(manager.start({ id: "shop/more", spec })), /4 sessions run on this node already/);
  first.stop("enough");
  assert.deepEqual(await first.ended, { isFailure: false, reason: "enough" });
  assert.equal(manager.find("shop/a")?.end?.reason, "enough");
  assert.ok(typeof manager.start({ id: "shop/more", spec }) === "object");
  await manager.close();
  assert.deepEqual(manager.counts(), { running: 0, ended: MAX_SESSIONS + 1, failed: 0 });
  assert.equal(manager.find("shop/more")?.end?.reason, "the agent ends");
});

test("who comes late hears the last journeys, and none after it has gone", () => {
  const { start, journeys } = createStarter();
  const session = createSessionManager(start).start({ id: "shop/a", spec });
  assert.ok(typeof session === "object");
  const send = (name: string) => journeys[0]?.({ name } as unknown as JourneySpans);
  for (let index = 0; index < 100; index++) send(`${index}`);
  const heard: string[] = [];
  const cancel = session.listen((spans) => heard.push((spans as unknown as { name: string }).name));
  assert.equal(heard.length, 64);
  assert.equal(heard.at(-1), "99");
  send("now");
  cancel();
  send("later");
  assert.equal(heard.at(-1), "now");
});

test("the cost of probes is estimated from what they did", () => {
  assert.equal(estimateCostNs(undefined), 0);
  assert.equal(estimateCostNs({ hops: 1_000, notMatched: 1_000, rateLimited: 1_000, discarded: 100 }), 800_000);
});
