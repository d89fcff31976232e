import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { whyNotLive } from "../lib/require-live.js";
import { runSkbspan, skbspanPath, startSkbspan } from "../lib/run-skbspan.js";

const skip = whyNotLive();
const directory = mkdtempSync(join(tmpdir(), "skbspan-live-"));
after(() => rmSync(directory, { recursive: true }));

/** Nobody else on this machine sends to these ports. */
const PORT = 47_813;
const QUIET_PORT = 47_814;

/** Datagrams to a port of loopback where nobody listens, from now until it is stopped. */
function sendDatagrams(everyMs: number, perTick = 1): { stop(): void } {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  const timer = setInterval(() => {
    for (let index = 0; index < perTick; index++) socket.send("skbspan", PORT, "127.0.0.1");
  }, everyMs);
  return {
    stop() {
      clearInterval(timer);
      socket.close();
    },
  };
}

function childrenOf(processId: number | undefined): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ");
        return Number(fields[1]) === processId ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
}

function isAlive(processId: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${processId}/stat`, "utf8"));
  } catch {
    return false;
  }
}

async function untilGone(processIds: readonly number[]): Promise<void> {
  for (let round = 0; round < 100 && processIds.some(isAlive); round++) await sleep(50);
  assert.deepEqual(processIds.filter(isAlive), [], "the tracer is still there");
}

test("-n journeys of the packets that match are shown, then it ends", { skip }, async () => {
  const traffic = sendDatagrams(20);
  try {
    const { code, stdout, stderr } = await runSkbspan(["trace", "-n", "2", `udp dst port ${PORT}`]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.match(/^\S+ +udp packet/gm)?.length, 2, stdout);
    assert.equal(stdout.match(new RegExp(`-> 127\\.0\\.0\\.1:${PORT}`, "g"))?.length, 2);
    assert.match(stderr, /^skbspan: 2 journeys/m);
  } finally {
    traffic.stop();
  }
});

test("drops tells the reason and the place", { skip }, async () => {
  const traffic = sendDatagrams(20);
  try {
    const { code, stdout } = await runSkbspan(["drops", "-n", "1", `udp port ${PORT}`]);
    assert.equal(code, 0);
    assert.match(stdout, /dropped: NO_SOCKET at \w*udp\w*rcv\w*\+0x/);
  } finally {
    traffic.stop();
  }
});

test("--keep-drops: what is dropped is wanted, however short --min-duration finds it", { skip }, async () => {
  const traffic = sendDatagrams(20);
  try {
    const choice = ["--min-duration", "1h", "--keep-drops", "-n", "2"];
    const { code, stdout } = await runSkbspan(["trace", ...choice, `udp dst port ${PORT}`]);
    assert.equal(code, 0);
    assert.equal(stdout.match(/dropped: NO_SOCKET/g)?.length, 2, stdout);
  } finally {
    traffic.stop();
  }
});

test("a filter that does not parse: libpcap's message, the position, exit 5", { skip }, async () => {
  const { code, stdout, stderr } = await runSkbspan(["trace", "tcp prot 80"]);
  assert.equal(code, 5);
  assert.equal(stdout, "");
  assert.match(stderr, /^skbspan: error: .*syntax error.*\n {2}tcp prot 80\n {6}\^$/m);
});

test("a backend that cannot work here says why: exit 4", { skip }, async () => {
  const doctor = await runSkbspan(["doctor", "--json"]);
  const missing = doctor.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { check: string; answer: string })
    .find(({ check, answer }) => /^kprobe/.test(check) && answer === "no");
  if (!missing) return;
  const { code, stderr } = await runSkbspan(["trace", "--backend", missing.check, "--for", "1s"]);
  assert.equal(code, 4, stderr);
  assert.match(stderr, new RegExp(`skbspan: error: .*${missing.check.replace(".", "\\.")}`));
});

test("while nothing matches there is a count, and --for ends it", { skip }, async () => {
  const traffic = sendDatagrams(5);
  try {
    const running = startSkbspan(["trace", "--for", "7s", `udp port ${QUIET_PORT}`]);
    await running.untilStderr(new RegExp(`nothing matches "udp port ${QUIET_PORT}" yet: [\\d,]+ did not match; \\d s`));
    const { code, stdout, stderr } = await running.result;
    assert.equal(code, 0);
    assert.equal(stdout, "");
    assert.match(stderr, /^skbspan: 0 journeys.*\n {2}seen: 0 journeys begun, [1-9]/m);
  } finally {
    traffic.stop();
  }
});

test("Ctrl-C: a clean end with a summary, exit 0, no tracer left", { skip }, async () => {
  const traffic = sendDatagrams(20);
  try {
    const running = startSkbspan(["trace", `udp port ${PORT}`]);
    await running.untilStdout(/udp packet/);
    const tracers = childrenOf(running.child.pid);
    assert.equal(tracers.length, 1);
    running.child.kill("SIGINT");
    const { code, stderr } = await running.result;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^skbspan: [\d,]+ journeys?, [\d,]+ spans in/m);
    assert.doesNotMatch(stderr, /error/);
    await untilGone(tracers);
  } finally {
    traffic.stop();
  }
});

test("Ctrl-C while it is still attaching is a clean end too", { skip }, async () => {
  const running = startSkbspan(["trace", `udp port ${QUIET_PORT}`]);
  let tracers: number[] = [];
  for (let round = 0; round < 500 && tracers.length === 0; round++) {
    await sleep(10);
    tracers = childrenOf(running.child.pid);
  }
  await sleep(30);
  running.child.kill("SIGINT");
  const { code, stderr } = await running.result;
  assert.equal(code, 0, stderr);
  await untilGone(tracers);
});

test("a second Ctrl-C does not wait for a tracer that hangs", { skip }, async () => {
  const running = startSkbspan(["trace", `udp port ${QUIET_PORT}`]);
  await running.untilStderr(/nothing matches/);
  const tracers = childrenOf(running.child.pid);
  assert.equal(tracers.length, 1);
  process.kill(tracers[0] ?? 0, "SIGSTOP");
  running.child.kill("SIGINT");
  await sleep(300);
  assert.equal(running.child.exitCode, null, "the first one waits");
  const asked = performance.now();
  running.child.kill("SIGINT");
  const { code } = await running.result;
  assert.equal(code, 1);
  assert.ok(performance.now() - asked < 5_000);
  await untilGone(tracers);
});

test("the tracer goes when the exporter is killed", { skip }, async () => {
  const running = startSkbspan(["trace", `udp port ${QUIET_PORT}`]);
  await running.untilStderr(/nothing matches/);
  const tracers = childrenOf(running.child.pid);
  assert.equal(tracers.length, 1);
  running.child.kill("SIGKILL");
  await running.result;
  await untilGone(tracers);
});

test("a tracer that is killed is an error that says so", { skip }, async () => {
  const running = startSkbspan(["trace", `udp port ${QUIET_PORT}`]);
  await running.untilStderr(/nothing matches/);
  const [tracer] = childrenOf(running.child.pid);
  assert.ok(tracer);
  process.kill(tracer, "SIGKILL");
  const { code, stderr } = await running.result;
  assert.equal(code, 1);
  assert.match(stderr, /skbspan: error: The tracer was ended by SIGKILL/);
});

test("| head ends a live trace, and the tracer with it", { skip }, async () => {
  const traffic = sendDatagrams(10);
  try {
    const running = startSkbspan(["trace", `udp port ${PORT}`]);
    await running.untilStdout(/udp packet/);
    const tracers = childrenOf(running.child.pid);
    running.child.stdout?.destroy();
    const { code, stderr } = await running.result;
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /error|EPIPE/);
    await untilGone(tracers);
  } finally {
    traffic.stop();
  }
});

test("what is recorded replays to the same journeys, and a file is not overwritten unasked", { skip }, async () => {
  const path = join(directory, "datagrams.skbspan");
  const traffic = sendDatagrams(20);
  try {
    const recorded = await runSkbspan(["record", path, "-n", "5", `udp dst port ${PORT}`]);
    assert.equal(recorded.code, 0, recorded.stderr);
    assert.match(recorded.stderr, new RegExp(`[\\d,]+ bytes in ${path}`));
    const count = /^skbspan: (\d+) journeys/m.exec(recorded.stderr)?.[1];
    const replayed = await runSkbspan(["replay", path]);
    assert.equal(replayed.code, 0, replayed.stderr);
    assert.equal(/^skbspan: (\d+) journeys/m.exec(replayed.stderr)?.[1], count);
    const again = await runSkbspan(["record", path, "-n", "1"]);
    assert.equal(again.code, 1);
    assert.match(
      again.stderr,
      /exists already and would be lost\.\nChoose another name, or write over it with --force/,
    );
    const wrong = await runSkbspan(["record", path, "--force", "tcp prot"]);
    assert.equal(wrong.code, 5);
    assert.equal((await runSkbspan(["replay", path])).code, 0, "a wrong filter cost the old recording");
  } finally {
    traffic.stop();
  }
});

test("a recording to standard output is bytes alone", { skip }, async () => {
  const traffic = sendDatagrams(20);
  try {
    const { code, stdout, stderr } = await runSkbspan(["record", "-", "-n", "2", `udp dst port ${PORT}`]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^SKBSPAN\n/);
  } finally {
    traffic.stop();
  }
});

test("record on a full disk: exit 1, why, and the part that fits can be replayed", { skip }, async () => {
  const disk = join(directory, "disk");
  mkdirSync(disk);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=32k", "tmpfs", disk], { encoding: "utf8" });
  assert.equal(mounted.status, 0, mounted.stderr);
  const traffic = sendDatagrams(5, 5);
  try {
    const path = join(disk, "full.skbspan");
    const running = startSkbspan(["record", path, `udp dst port ${PORT}`]);
    await sleep(500);
    const { code, stderr } = await running.result;
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      /skbspan: error: Cannot write to .*full\.skbspan: no space is left on the disk\.\nThe first \d+ bytes are there/,
    );
    assert.equal(statSync(path).size, 32_768);
    const replayed = await runSkbspan(["replay", path]);
    assert.equal(replayed.code, 6);
    assert.match(replayed.stderr, /The stream was cut after 32768 bytes/);
    assert.match(replayed.stdout, new RegExp(`127\\.0\\.0\\.1:${PORT}`));
  } finally {
    traffic.stop();
    spawnSync("umount", [disk]);
  }
});

test("without rights: exit 3, which are missing, and doctor still answers", { skip }, async () => {
  const withoutRights = ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", process.execPath, skbspanPath];
  const traced = spawnSync("setpriv", [...withoutRights, "trace", "--for", "1s"], { encoding: "utf8" });
  assert.equal(traced.status, 3, traced.stderr);
  assert.match(traced.stderr, /^skbspan: error: .*CAP_BPF.*\n`skbspan doctor` says which rights/);
  const doctor = spawnSync("setpriv", [...withoutRights, "doctor", "--json"], { encoding: "utf8" });
  assert.equal(doctor.status, 0);
  assert.match(doctor.stdout, /"check":"rights\.bpf".*"answer":"no"/);
});

test("a namespace that goes away while it is traced is told", { skip }, async () => {
  const name = `skbspan-test-${process.pid}`;
  const ip = (...argv: string[]): void => {
    const { status, stderr } = spawnSync("ip", ["netns", ...argv, name], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
  };
  ip("add");
  let isThere = true;
  try {
    const running = startSkbspan(["trace", "--netns", name]);
    await running.untilStderr(/nothing yet/);
    ip("delete");
    isThere = false;
    await running.untilStderr(new RegExp(`warning: the network namespace ${name} .*went away`));
    running.child.kill("SIGINT");
    assert.equal((await running.result).code, 0);
  } finally {
    if (isThere) ip("delete");
  }
});

test("a flood into a tiny buffer: it ends in time, and every journey is accounted for", { skip }, async () => {
  const argv = ["trace", "--export", "json", "--ring-size", "64KiB", "--slots", "64", "--for", "4s"];
  const traffic = sendDatagrams(2, 200);
  try {
    const started = performance.now();
    const { code, stdout, stderr } = await runSkbspan([...argv, `udp dst port ${PORT}`]);
    assert.equal(code, 0, stderr);
    assert.ok(performance.now() - started < 30_000, "it did not end in time");
    const count = (pattern: RegExp): number => Number(pattern.exec(stderr)?.[1]?.replaceAll(",", "") ?? 0);
    const kept = count(/^skbspan: ([\d,]+) journeys/m);
    const lost = count(/lost: ([\d,]+) journeys: the ring buffer was full/);
    assert.equal(stdout.trimEnd().split("\n").length, kept);
    assert.ok(lost > 0, `the flood was none:\n${stderr}`);
    assert.equal(kept + lost, count(/seen: ([\d,]+) journeys begun/), stderr);
  } finally {
    traffic.stop();
  }
});

test("the agent: ready once attached, metrics count drops, SIGTERM ends it cleanly", { skip }, async () => {
  const path = join(directory, "agent.yaml");
  writeFileSync(path, `filter: udp dst port ${PORT}\nlisten: 127.0.0.1:0\nexport: json\nunready_after: 10s\n`);
  const traffic = sendDatagrams(20);
  try {
    const running = startSkbspan(["run", "--config", path]);
    await running.untilStderr(/attached to \d+ probes by/);
    await running.untilStdout(/resourceSpans/);
    const tracers = childrenOf(running.child.pid);
    const base = await addressOf(running);
    assert.equal((await fetch(`${base}/readyz`)).status, 200);
    let metrics = "";
    for (let round = 0; round < 40 && !/skbspan_drops_total/.test(metrics); round++) {
      metrics = await (await fetch(`${base}/metrics`)).text();
      await sleep(250);
    }
    assert.match(metrics, /^skbspan_drops_total\{reason="NO_SOCKET"\} [1-9]\d*$/m);
    assert.match(metrics, /^skbspan_tracer_up 1$/m);
    assert.match(metrics, /^skbspan_sink_spans_sent_total\{sink="json"\} [1-9]/m);
    running.child.kill("SIGTERM");
    const result = await running.result;
    assert.equal(result.code, 0, result.stderr);
    await untilGone(tracers);
  } finally {
    traffic.stop();
  }
});

/** From what it said before; untilStderr looks at all of it. */
async function addressOf(running: ReturnType<typeof startSkbspan>): Promise<string> {
  await running.untilStderr(/on http:\/\/127\.0\.0\.1:\d+/);
  const match = /on (http:\/\/127\.0\.0\.1:\d+)/.exec(running.written().stderr);
  assert.ok(match?.[1]);
  return match[1];
}
