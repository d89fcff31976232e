import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { GuestError, runInGuest } from "./run-in-guest.js";

const checkout = fileURLToPath(new URL("../../..", import.meta.url));
const TIMEOUT_MS = 300_000;

test("a guest runs a command in the checkout and gives its output, exit code and results; nothing is written here", async () => {
  const command = [
    "uname -r",
    "test ! -t 1 && echo has no terminal",
    "test -r /sys/kernel/btf/vmlinux && echo has types",
    "test $(wc -l < /sys/kernel/tracing/available_filter_functions) -gt 10000 && echo has functions",
    "node -p 'process.cwd()'",
    "modprobe nf_tables && ip netns add one && ip -n one link set lo up && echo has namespaces",
    "touch only-in-the-guest && ls only-in-the-guest",
    'echo "$GREETING" > "$SKBSPAN_RESULTS/greeting"',
    "exit 7",
  ].join("\n");
  const environment = { GREETING: "it's a guest" };
  const result = await runInGuest({ kernel: "6.12", command, environment, timeoutMs: TIMEOUT_MS });
  const { code, output, release, resultsDirectory } = result;
  const lines = [
    "has no terminal",
    "has types",
    "has functions",
    checkout.replace(/\/$/, ""),
    "has namespaces",
    "only-in-the-guest",
  ];
  assert.equal(output, [release, ...lines, ""].join("\n"));
  assert.equal(code, 7);
  assert.match(release, /^6\.12\./);
  assert.equal(await readFile(join(resultsDirectory, "greeting"), "utf8"), "it's a guest\n");
  assert.ok(!existsSync(join(checkout, "only-in-the-guest")));
});

test("a guest whose kernel crashes is reported, with what it printed", async () => {
  const command = "echo before; sync; sleep 1; echo c > /proc/sysrq-trigger; sleep 60";
  await assert.rejects(runInGuest({ kernel: "6.12", command, timeoutMs: TIMEOUT_MS }), (error: unknown) => {
    assert.ok(error instanceof GuestError);
    assert.match(error.message, /^The guest \(Linux 6\.12\.\S+\) failed: .*(panic|NULL pointer)/);
    assert.equal(error.output, "before\n");
    assert.ok(existsSync(join(error.directory, "console.log")));
    return true;
  });
});

test("a guest that takes too long is ended", async () => {
  const startMs = Date.now();
  await assert.rejects(
    runInGuest({ kernel: "6.12", command: "sleep 600", timeoutMs: 3_000 }),
    /not done after 3000 ms/,
  );
  assert.ok(Date.now() - startMs < 60_000);
});
