import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Runs the real tracer on the kernel of this machine, or of the guest that this runs in. */
const tracer = fileURLToPath(new URL("../../../build/skbspan-tracer", import.meta.url));
const isRoot = process.getuid?.() === 0;
const rootOnly = isRoot ? false : "the kernel tells its functions and features to root only: run the tests as root";

interface Check {
  readonly check: string;
  readonly title: string;
  readonly answer: "yes" | "no" | "unknown";
  readonly reason: string;
  readonly mend: string;
}

interface TracedFunction {
  readonly name: string;
  readonly symbol: string;
  readonly module: string;
  readonly argument: number;
  readonly returns: string;
  readonly layer?: string;
  readonly attachable: boolean;
  readonly chosen: boolean;
  readonly reason?: string;
}

function run(command: string[], uid?: number) {
  assert.ok(existsSync(tracer), `${tracer} is not built: run \`make -C bpf\``);
  const [file = tracer, ...args] = uid === undefined ? [tracer, ...command] : dropRights(uid, command);
  return spawnSync(file, args, { encoding: "utf8", timeout: 120_000, maxBuffer: 64 * 1024 * 1024 });
}

function dropRights(uid: number, command: string[]): string[] {
  return ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", tracer, ...command];
}

function jsonLines<T>(text: string): T[] {
  assert.ok(text.endsWith("\n"), "the last line is complete");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

function readChecks(uid?: number): Map<string, Check> {
  return parseChecks(run(["doctor"], uid));
}

function parseChecks({ status, stdout, stderr }: ReturnType<typeof run>): Map<string, Check> {
  assert.equal(status, 0, stderr);
  return new Map(jsonLines<Check>(stdout).map((check) => [check.check, check]));
}

/** As in the pod of deploy/chart. */
function runWithTwoCapabilities(command: string[]): ReturnType<typeof run> {
  const rights = ["--bounding-set=-all,+bpf,+perfmon", "--inh-caps=-all", "--no-new-privs"];
  return spawnSync("setpriv", [...rights, tracer, ...command], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

describe("tracer doctor", { skip: rootOnly }, () => {
  it("answers every check with a reason, and what is not yes with a mend or none to be had", () => {
    const checks = readChecks();
    assert.ok(checks.size >= 19, [...checks.keys()].join(", "));
    for (const { check, title, answer, reason } of checks.values()) {
      assert.ok(["yes", "no", "unknown"].includes(answer), `${check}: ${answer}`);
      assert.ok(title.length > 0 && reason.length > 0, check);
    }
    for (const check of ["rights.bpf", "btf.kernel", "ring-buffer", "tracepoint", "symbols", "trace"])
      assert.equal(checks.get(check)?.answer, "yes", JSON.stringify(checks.get(check)));
  });

  it("names the best backend of those that work", () => {
    const checks = readChecks();
    const best = ["kprobe.session", "kprobe.multi", "kprobe", "tracepoint"].find(
      (backend) => checks.get(backend)?.answer === "yes",
    );
    assert.equal(checks.get("trace")?.reason, `with the backend ${best}`);
  });

  const bpftool = spawnSync("bpftool", ["version"]).error ? "bpftool is not installed: apt install bpftool" : false;
  it("leaves nothing that it tried in the kernel", { skip: bpftool }, async () => {
    readChecks();
    // The kernel frees programs some time after they are closed.
    const deadlineMs = Date.now() + 10_000;
    while (namesInKernel().includes("skbspan_try") && Date.now() < deadlineMs) await sleep(100);
    assert.ok(!namesInKernel().includes("skbspan_try"));
  });

  function namesInKernel(): (string | undefined)[] {
    return ["prog", "map"].flatMap((kind) => {
      const { stdout } = spawnSync("bpftool", ["--json", kind, "show"], { encoding: "utf8" });
      return (JSON.parse(stdout) as { name?: string }[]).map((each) => each.name);
    });
  }

  it("has with CAP_BPF and CAP_PERFMON alone what root has: addresses of functions, the backend, the functions", () => {
    const [root, pod] = [readChecks(), parseChecks(runWithTwoCapabilities(["doctor"]))];
    assert.equal(pod.get("symbols")?.answer, "yes", JSON.stringify(pod.get("symbols")));
    // Where kprobe.multi is not built in (Debian 12), its perf_event_paranoid of 3 leaves kprobes to CAP_SYS_ADMIN.
    const isForbidden = /perf_event_paranoid/.test(pod.get("kprobe")?.reason ?? "");
    if (isForbidden) assert.match(pod.get("kprobe")?.mend ?? "", /perf_event_paranoid=2/);
    const isBackendKept = root.get("trace")?.reason !== "with the backend kprobe" || !isForbidden;
    if (isBackendKept) assert.equal(pod.get("trace")?.reason, root.get("trace")?.reason);
    const listFunctions = ({ stdout }: ReturnType<typeof run>) =>
      jsonLines<TracedFunction>(stdout).map(({ name, symbol, module }) => [name, symbol, module].join(" "));
    assert.deepEqual(
      listFunctions(runWithTwoCapabilities(["functions", "--probes", "core"])),
      listFunctions(run(["functions", "--probes", "core"])),
    );
  });

  it("says which rights are missing, and does not take a refusal for a lack of the kernel", () => {
    const checks = readChecks(65534);
    assert.equal(checks.get("rights.bpf")?.answer, "no");
    assert.match(checks.get("rights.bpf")?.mend ?? "", /CAP_BPF/);
    assert.equal(checks.get("tracepoint")?.answer, "unknown");
    assert.match(checks.get("tracepoint")?.mend ?? "", /^run as root/); // nothing is known against the kernel
    assert.match(checks.get("tracepoint")?.reason ?? "", /rights are missing/);
    assert.equal(checks.get("trace")?.answer, "no");
  });
});

describe("tracer functions", { skip: rootOnly }, () => {
  const probes = (set: string) => run(["functions", "--probes", set]);
  const first = isRoot ? probes("core") : undefined;
  const functions = jsonLines<TracedFunction>(first?.stdout ?? "\n{}\n".trimStart());
  const find = (name: string) => functions.find((each) => each.name === name);
  const canAttach = functions.some((each) => each.attachable);

  it("finds the functions of the kernel's type information with the position of their sk_buff", () => {
    assert.equal(first?.status, 0, first?.stderr);
    assert.ok(functions.length > 1000, `${functions.length} functions`);
    const positions = Object.fromEntries(
      ["ip_rcv", "tcp_v4_rcv", "tcp_v4_do_rcv", "ip_local_deliver_finish", "tcp_rcv_established"].map((name) => [
        name,
        find(name)?.argument,
      ]),
    );
    assert.deepEqual(positions, {
      ip_rcv: 1,
      tcp_v4_rcv: 1,
      tcp_v4_do_rcv: 2,
      ip_local_deliver_finish: 3,
      tcp_rcv_established: 2,
    });
  });

  it("knows what they return", () => {
    assert.equal(find("loopback_xmit")?.returns, "netdev_tx");
    assert.equal(find("nf_hook_slow")?.returns, "integer");
    assert.equal(find("consume_skb")?.returns, "void");
    assert.equal(find("skb_clone")?.returns, "pointer");
    assert.equal(find("nf_conntrack_in")?.returns ?? "verdict", "verdict"); // a module, perhaps not loaded
  });

  it("names a symbol that the kernel lists, and its layer when it is in the core set", () => {
    const listed = new Set(
      readFileSync("/proc/kallsyms", "utf8")
        .split("\n")
        .map((line) => line.slice(19).split("\t")[0]),
    );
    for (const { name, symbol, attachable } of functions) {
      assert.ok(symbol === name || symbol.startsWith(`${name}.`), symbol);
      if (attachable) assert.ok(listed.has(symbol), symbol);
    }
    assert.equal(find("ip_rcv")?.layer, "ipv4");
    assert.equal(find("skb_push")?.layer, undefined);
  });

  it("says of each that cannot be attached why, and chooses none of them", () => {
    for (const each of functions) {
      assert.equal(each.reason === undefined, each.attachable, JSON.stringify(each));
      if (each.chosen) assert.ok(each.attachable, JSON.stringify(each));
    }
    assert.match(find("__traceiter_kfree_skb")?.reason ?? "", /tracepoint/);
  });

  it("leaves out what BPF programs call", () => {
    const helpers = functions.filter((each) => /^(__)?bpf_/.test(each.name));
    assert.ok(helpers.length > 10, `${helpers.length} of them`);
    assert.deepEqual(
      helpers.filter((each) => each.attachable),
      [],
    );
  });

  // test/kernels runs these tests in a guest too, so that both halves of this are seen
  if (!canAttach) {
    it("warns when the kernel attaches no functions at all", () => {
      assert.match(first?.stderr ?? "", /^skbspan-tracer: warning: no function can be attached/);
    });
    return;
  }

  it("chooses the path of a packet as core, everything as all, and by expression", () => {
    const chosen = (set: string) =>
      jsonLines<TracedFunction>(probes(set).stdout)
        .filter((each) => each.chosen)
        .map((each) => each.name);
    const core = new Set(chosen("core"));
    for (const name of ["ip_rcv", "ip_forward", "__dev_queue_xmit", "nf_hook_slow", "tcp_v4_rcv", "consume_skb"])
      assert.ok(core.has(name), name);
    assert.ok(core.size > 120 && core.size < 400, `${core.size} in core`);
    assert.equal(chosen("all").length, functions.filter((each) => each.attachable).length);
    assert.deepEqual(new Set(chosen("/^ip_rcv$/")), new Set(["ip_rcv"]));
    assert.deepEqual(chosen("drops"), []);
  });

  it("says what is nearest when nothing matches", () => {
    const { status, stderr } = probes("/^ip_rcvv$/");
    assert.equal(status, 2);
    assert.match(stderr, /^skbspan-tracer: error: no function .* the nearest name is ip_rcv\n$/);
  });
});
