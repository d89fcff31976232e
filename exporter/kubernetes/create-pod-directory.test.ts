import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { poll } from "../../test/backends/lib/poll.js";
import {
  type Answer,
  answerEvents,
  answerJson,
  answerStatus,
  breakConnection,
  type ScriptedApi,
  startScriptedApi,
  tableEvent,
  tableOf,
  tableRow,
} from "../../test/lib/start-scripted-api.js";
import { createPodDirectory, type PodDirectoryOptions, type WatchedPodDirectory } from "./create-pod-directory.js";

const bookmark = (resourceVersion: string) => ({
  type: "BOOKMARK",
  object: { kind: "Table", metadata: { resourceVersion }, rows: [] },
});
const silent = answerEvents([]);

/** A clock that only pauses move: what would take minutes takes none. */
function createClock() {
  const pausesMs: number[] = [];
  let nowMs = 0;
  return {
    pausesMs,
    advance: (ms: number) => {
      nowMs += ms;
    },
    timing: {
      now: () => nowMs,
      random: () => 0.5,
      async sleep(ms: number, signal: AbortSignal) {
        pausesMs.push(ms);
        nowMs += ms;
        // Others get their turn.
        await new Promise((resolve) => setTimeout(resolve, signal.aborted ? 0 : 5));
      },
    },
  };
}

async function withDirectory(
  script: { list: readonly Answer[]; watch: readonly Answer[] },
  work: (directory: WatchedPodDirectory, api: ScriptedApi, clock: ReturnType<typeof createClock>) => Promise<void>,
  options: Partial<PodDirectoryOptions> = {},
): Promise<void> {
  const api = await startScriptedApi(script);
  const clock = createClock();
  const directory = createPodDirectory({ client: api.client, node: "node1", timing: clock.timing, ...options });
  try {
    await work(directory, api, clock);
  } finally {
    await directory.close();
    await api.close();
  }
}

const until = (what: string, look: () => boolean) => poll(what, async () => look() || undefined);
const names = (directory: WatchedPodDirectory) => [...directory.pods()].map(({ name }) => name).sort();
const isReading = (directory: WatchedPodDirectory) => directory.stats().health.state === "reading";
const podNamed = (directory: WatchedPodDirectory, uid: string) => {
  const pod = directory.lookup(uid);
  return typeof pod === "object" ? pod.name : pod;
};

test("one list and one watch, of this node's pods and their metadata alone", async () => {
  const script = { list: [answerJson(tableOf([tableRow("web", { ip: "10.0.0.7" })]))], watch: [silent] };
  await withDirectory(script, async (directory, api) => {
    assert.equal(directory.lookup("uid-web"), "pending");
    await until("the watch", () => api.asked.length === 2 && isReading(directory));
    const [list, watch] = api.asked;
    for (const { query, accept } of [list, watch].filter((entry) => entry !== undefined)) {
      assert.equal(query.get("fieldSelector"), "spec.nodeName=node1,status.phase!=Succeeded,status.phase!=Failed");
      assert.equal(query.get("includeObject"), "Metadata");
      assert.match(accept, /as=Table/);
    }
    assert.equal(list?.query.get("resourceVersion"), "0");
    assert.equal(watch?.query.get("resourceVersion"), "10");
    assert.equal(watch?.query.get("allowWatchBookmarks"), "true");
    const pod = directory.lookup("uid-web");
    assert.ok(typeof pod === "object");
    assert.equal(pod.ip, "10.0.0.7");
    assert.equal(directory.findByAddress("10.0.0.7"), pod);
  });
});

test("pods come, change and go; the dead are known for a minute", async () => {
  const changed = tableRow("web", { ip: "10.0.0.8", metadata: { labels: { tier: "front" } } });
  const events = [
    tableEvent("ADDED", tableRow("web"), { isFirst: true }),
    tableEvent("MODIFIED", changed),
    tableEvent("ADDED", tableRow("other")),
    tableEvent("DELETED", tableRow("other")),
  ];
  await withDirectory(
    { list: [answerJson(tableOf([]))], watch: [answerEvents(events)] },
    async (directory, _, clock) => {
      const told: (string | undefined)[] = [];
      directory.onChange((uid) => told.push(uid));
      await until("all events", () => directory.stats().events === 4);
      assert.deepEqual(told, [undefined, "uid-web", "uid-web", "uid-other", "uid-other"]);
      assert.deepEqual(names(directory), ["web"]);
      assert.equal(directory.findByAddress("10.0.0.8")?.labels.get("tier"), "front");
      assert.equal(podNamed(directory, "uid-other"), "other");
      clock.advance(61_000);
      assert.equal(podNamed(directory, "uid-other"), "pending");
      clock.advance(6_000);
      assert.equal(podNamed(directory, "uid-other"), undefined);
    },
  );
});

test("a watch that ends is resumed where bookmarks and events left it; no list is read again", async () => {
  const watch = [
    answerEvents([bookmark("20")], { isEnded: true }),
    answerEvents([tableEvent("ADDED", tableRow("late", { metadata: { resourceVersion: "25" } }), { isFirst: true })], {
      isEnded: true,
    }),
    breakConnection,
    silent,
  ];
  await withDirectory({ list: [answerJson(tableOf([]))], watch }, async (directory, api) => {
    await until("four watches", () => api.asked.length === 5 && isReading(directory));
    const from = api.asked.map(({ query }) => query.get("resourceVersion"));
    assert.deepEqual(from, ["0", "10", "20", "25", "25"]);
    assert.deepEqual(names(directory), ["late"]);
  });
});

test("410, as an answer or as an event, has the list read anew, and what is gone since is gone", async () => {
  const list = [
    answerJson(tableOf([tableRow("a"), tableRow("b")])),
    answerJson(tableOf([tableRow("b")], "30")),
    answerJson(tableOf([tableRow("b"), tableRow("c")], "40")),
  ];
  const expired = { type: "ERROR", object: { kind: "Status", code: 410, message: "too old resource version" } };
  const watch = [answerEvents([expired], { isEnded: true }), answerStatus(410, "too old"), silent];
  await withDirectory({ list, watch }, async (directory, api) => {
    await until("three lists", () => directory.stats().lists === 3 && api.asked.length === 6);
    assert.deepEqual(names(directory), ["b", "c"]);
    assert.equal(podNamed(directory, "uid-a"), "a");
    assert.equal(directory.stats().relists, 2);
    assert.deepEqual(
      api.asked.filter(({ kind }) => kind === "watch").map(({ query }) => query.get("resourceVersion")),
      ["10", "30", "40"],
    );
  });
});

test("an API server that is away is asked less and less often, and caught up with", async () => {
  const away = Array.from({ length: 8 }, () => breakConnection);
  const script = { list: [...away, answerJson(tableOf([tableRow("web")]))], watch: [silent] };
  const states: string[] = [];
  const answers: unknown[] = [];
  let asked: WatchedPodDirectory | undefined;
  // Asked at the moment of the failure, which is over by the next look.
  const onHealth: PodDirectoryOptions["onHealth"] = ({ state }) => {
    states.push(state);
    if (state === "failing") answers.push(asked?.lookup("uid-unknown"));
  };
  await withDirectory(
    script,
    async (directory, _, clock) => {
      asked = directory;
      await until("the list", () => isReading(directory) && states.length > 1);
      assert.deepEqual(answers, [undefined]); // nobody waits for a name that cannot come soon
      assert.deepEqual(clock.pausesMs, [501, 1001, 2001, 4001, 8001, 15001, 15001, 15001]);
      assert.deepEqual(names(directory), ["web"]);
      assert.deepEqual(states, ["failing", "reading"]);
      assert.equal(directory.stats().failures, 8);
    },
    { onHealth },
  );
});

test("429 and Retry-After are honoured; a refusal is said and tried again after a minute", async () => {
  const list = [
    answerStatus(429, "too many requests", { "retry-after": "7" }),
    answerStatus(403, 'pods is forbidden: User "agent" cannot list resource "pods"\u001b[2J'),
    answerJson(tableOf([tableRow("web")])),
  ];
  const reasons: string[] = [];
  const onHealth: PodDirectoryOptions["onHealth"] = ({ reason, isRefused }) => reasons.push(`${isRefused} ${reason}`);
  await withDirectory(
    { list, watch: [silent] },
    async (directory, _, clock) => {
      await until("the list", () => isReading(directory));
      // A little more than asked, so that not all agents come back at once.
      assert.deepEqual(clock.pausesMs, [7_351, 63_001]);
      assert.deepEqual(reasons, [
        "false GET /api/v1/pods was answered with 429: too many requests",
        'true GET /api/v1/pods was answered with 403: pods is forbidden: User "agent" cannot list resource "pods" [2J',
        "false undefined",
      ]);
    },
    { onHealth },
  );
});

test("a watch that ends at once, again and again, is slowed down", async () => {
  const ended = answerEvents([], { isEnded: true });
  await withDirectory(
    { list: [answerJson(tableOf([]))], watch: [ended, ended, ended, silent] },
    async (directory, api, clock) => {
      await until("four watches", () => api.asked.length === 5 && isReading(directory));
      assert.deepEqual(clock.pausesMs, [501, 1001, 2001]);
    },
  );
});

test("garbage is a failure, not the end", async () => {
  const list: Answer[] = [
    (_, response) => response.end("<html>"),
    answerJson({ kind: "Table" }),
    answerJson(tableOf([{}, { object: { metadata: { name: 1 } } }, tableRow("web")])),
  ];
  const watch: Answer[] = [(_, response) => response.end("{\n"), answerEvents([null, 7, {}, { type: "ADDED" }])];
  await withDirectory({ list, watch }, async (directory, api) => {
    await until("all of it", () => api.asked.length >= 6 && directory.stats().failures >= 4);
    assert.deepEqual(names(directory), ["web"]);
  });
});

test("an address of two pods, or the node's own, is nobody's", async () => {
  const rows = [
    tableRow("a", { ip: "10.0.0.1" }),
    tableRow("b", { ip: "10.0.0.1" }),
    tableRow("c", { ip: "192.0.2.1" }),
  ];
  await withDirectory(
    { list: [answerJson(tableOf(rows))], watch: [silent] },
    async (directory) => {
      await until("the list", () => isReading(directory));
      assert.equal(directory.findByAddress("10.0.0.1"), undefined);
      assert.equal(directory.findByAddress("192.0.2.1"), undefined);
    },
    { nodeAddresses: ["192.0.2.1"] },
  );
});

test("a static pod is found by the hash that its cgroup is named after; nobody else can claim one", async () => {
  const hash = "0123456789abcdef0123456789abcdef";
  const mirror = { "kubernetes.io/config.hash": hash, "kubernetes.io/config.mirror": hash };
  const rows = [
    tableRow("etcd-node1", { metadata: { annotations: mirror } }),
    tableRow("liar", { metadata: { annotations: { "kubernetes.io/config.hash": hash } } }),
    tableRow("thief", {
      metadata: { annotations: { ...mirror, "kubernetes.io/config.hash": "uid-liar" } },
    }),
  ];
  await withDirectory({ list: [answerJson(tableOf(rows))], watch: [silent] }, async (directory) => {
    await until("the list", () => isReading(directory));
    assert.equal(podNamed(directory, hash), "etcd-node1");
    assert.equal(podNamed(directory, "uid-liar"), "liar");
  });
});

test("500 pods take little memory, however much the API server says of them", async () => {
  // Not a part of what an agent uses, and so not to be kept.
  const annotations = { note: "x".repeat(50_000), "resource.opentelemetry.io/team": "blue" };
  const labels = { app: "web", "pod-template-hash": "7d4f9" };
  const row = (index: number) =>
    tableRow(`web-${index}`, { ip: `10.0.${index >> 8}.${index & 255}`, metadata: { annotations, labels } });
  const list = answerJson(tableOf(Array.from({ length: 500 }, (_, index) => row(index))));
  await withDirectory({ list: [list], watch: [silent] }, async (directory) => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    collectGarbage();
    const beforeBytes = process.memoryUsage().heapUsed;
    await until("the list", () => directory.stats().pods === 500 && isReading(directory));
    collectGarbage();
    const perPodBytes = (process.memoryUsage().heapUsed - beforeBytes) / 500;
    // 2,500 were measured.
    assert.ok(perPodBytes < 10_000, `${perPodBytes} bytes a pod`);
    assert.equal(directory.findByAddress("10.0.1.3")?.name, "web-259");
  });
});
