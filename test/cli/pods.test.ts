import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Cgroups, type FakePod, makePod, openCgroups } from "../lib/make-pod.js";
import { whyNotLive } from "../lib/require-live.js";
import { runSkbspan } from "../lib/run-skbspan.js";

const skip = whyNotLive();
/** Nobody else's on this machine. */
const ADDRESS = "127.83.66.2";
const FILTER = `udp and dst host ${ADDRESS}`;
const uids = ["0000000a", "0000000b"].map((digits) => `${digits}-1111-4222-8333-444455556666`);

let cgroups: Cgroups;
const pods: FakePod[] = [];
const folder = mkdtempSync(join(tmpdir(), "skbspan-pods-"));

before(() => {
  if (skip) return;
  cgroups = openCgroups();
  for (const [index, uid] of uids.entries()) {
    const path = `kubepods/besteffort/pod${uid}/${"cd".repeat(32)}`;
    const script = `while sleep 0.1; do echo x > /dev/udp/${ADDRESS}/${20_000 + index}; done`;
    pods.push(makePod({ cgroups, path, version: 2, script }));
  }
});

after(async () => {
  for (const pod of pods) await pod.remove();
  if (!skip) cgroups.remove();
  rmSync(folder, { recursive: true });
});

/** The pods of the resources of OTLP/JSON, a journey a line. */
function podsOf(json: string): Set<string> {
  const attribute = /"key":"k8s\.pod\.uid","value":\{"stringValue":"([^"]*)"\}/g;
  return new Set([...json.matchAll(attribute)].map(([, uid = ""]) => uid));
}

test("--pod follows the pod of this uid and no other", { skip }, async () => {
  const [chosen = ""] = uids;
  const { code, stdout, stderr } = await runSkbspan(["trace", "--pod", chosen, "--export", "json", "-n", "5", FILTER]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout.trimEnd().split("\n").length, 5);
  assert.deepEqual(podsOf(stdout), new Set([chosen]));
});

test("a recording knows the pods, too", { skip }, async () => {
  const path = join(folder, "pods.skbspan");
  const recorded = await runSkbspan(["record", path, "-n", "10", FILTER]);
  assert.equal(recorded.code, 0, recorded.stderr);
  const replayed = await runSkbspan(["replay", path, "--export", "json"]);
  assert.deepEqual(podsOf(replayed.stdout), new Set(uids));
});

test("to select pods by what only the API server knows, there has to be one", async () => {
  for (const option of [
    ["--pod", "web"],
    ["--namespace", "shop"],
    ["-l", "app=web"],
    ["--workload", "deploy/web"],
  ]) {
    const { code, stderr } = await runSkbspan(["trace", ...option, "--kubernetes", "off"]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /no API server is asked for their names.*\n.*--kubeconfig/);
  }
});
