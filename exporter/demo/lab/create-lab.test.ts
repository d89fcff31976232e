import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createLab } from "./create-lab.js";
import { LabError } from "./lab-error.js";
import { NETNS_FOLDER } from "./lab-marker.js";

const skip = process.getuid?.() === 0 ? false : "SKIPPED, network namespaces need root: run the tests with sudo";
const LAB = fileURLToPath(new URL("create-lab.js", import.meta.url));

function namespaceExists(name: string): boolean {
  return existsSync(`${NETNS_FOLDER}/${name}`);
}

/** Runs a script that has a `lab` with the namespace "left", in a process of its own; returns that namespace's system name. */
function runScript(lines: string): { readonly name: string; readonly pid: number } {
  const script = `
    const { createLab } = await import(${JSON.stringify(LAB)});
    const lab = await createLab();
    await lab.addNamespace("left");
    const sleeper = await lab.start("left", ["sleep", "600"]);
    console.log(JSON.stringify({ name: lab.systemName("left"), pid: sleeper.pid }));
    ${lines}`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    encoding: "utf8",
    timeout: 30_000,
  });
  return JSON.parse(stdout) as { name: string; pid: number };
}

/** A zombie that its new parent has not waited for yet does not run. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}

describe("a laboratory of network namespaces", { skip, timeout: 120_000 }, () => {
  it("connects namespaces and takes everything away again, twice if asked to", async () => {
    const lab = await createLab();
    await lab.addNamespace("a");
    await lab.addNamespace("b");
    await lab.addBridge("b", "br0", "10.9.1.1/24");
    await lab.connect(
      { namespace: "a", interface: "eth0", address: "10.9.1.2/24" },
      { namespace: "b", interface: "veth-a", bridge: "br0" },
    );
    const { code, stdout } = await lab.run("a", ["ping", "-c1", "-W2", "10.9.1.1"]);
    assert.equal(code, 0, stdout);
    const sleeper = await lab.start("a", ["sleep", "600"]);
    const names = ["a", "b"].map((name) => lab.systemName(name));
    assert.deepEqual(names.map(namespaceExists), [true, true]);
    await lab.close();
    await lab.close();
    assert.deepEqual(names.map(namespaceExists), [false, false]);
    assert.ok(!isRunning(sleeper.pid));
  });

  it("says which command failed and why", async () => {
    const lab = await createLab();
    try {
      await lab.addNamespace("a");
      await assert.rejects(lab.ip("a", "route", "add", "default", "via", "10.9.1.1"), (error) => {
        assert.ok(error instanceof LabError);
        assert.match(error.message, /`ip -n \S+ route add default via 10\.9\.1\.1` failed with code 2: \S/);
        return true;
      });
      await assert.rejects(lab.run("x", ["true"]), /the lab has no network namespace "x"/);
    } finally {
      await lab.close();
    }
  });

  it("refuses a name that somebody else has, and leaves it alone", async () => {
    const [first, second] = [await createLab(), await createLab({ prefix: "" })];
    try {
      await first.addNamespace("a");
      await assert.rejects(second.addNamespace(first.systemName("a")), /one of that name exists/);
      await second.close();
      assert.ok(namespaceExists(first.systemName("a")));
    } finally {
      await first.close();
      await second.close();
    }
  });

  it("leaves nothing behind when its process fails without closing it", () => {
    const { name, pid } = runScript(`throw new Error("on purpose");`);
    assert.ok(!namespaceExists(name));
    assert.ok(!isRunning(pid));
  });

  it("removes what a killed process left behind, the next time", async () => {
    const { name, pid } = runScript(`process.kill(process.pid, "SIGKILL");`);
    assert.ok(namespaceExists(name), "a killed process cannot clean up");
    const lab = await createLab();
    await lab.close();
    assert.ok(!namespaceExists(name));
    for (let tries = 0; isRunning(pid) && tries < 50; tries++) await sleep(100);
    assert.ok(!isRunning(pid));
    assert.deepEqual(
      readdirSync("/run/skbspan").filter((file) => file.includes(name.split("-")[1] ?? "?")),
      [],
    );
  });
});
