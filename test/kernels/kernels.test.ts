import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { assertReport } from "./assert-report.js";
import { prepareKernel } from "./prepare-kernel.js";
import { runInGuest } from "./run-in-guest.js";
import type { ScenarioReport } from "./scenario-report.js";
import { whyNoGuests } from "./why-no-guests.js";

interface GuestRun {
  readonly kernel: string;
  /** One the kernel's best backend is not: forced. */
  readonly backend: string;
  /** What the tracer must have chosen. */
  readonly expectedBackend: string;
  /** Empty: all. */
  readonly only: readonly string[];
}

/** Each backend at least once, and every scenario on each kernel; `tracepoint` runs live (test/live). */
const runs: readonly GuestRun[] = [
  { kernel: "6.1", backend: "auto", expectedBackend: "kprobe", only: [] },
  { kernel: "6.12", backend: "auto", expectedBackend: "kprobe.session", only: [] },
  {
    kernel: "6.12",
    backend: "kprobe.multi",
    expectedBackend: "kprobe.multi",
    only: ["tcp-request", "nftables-drop", "udp-no-listener"],
  },
  { kernel: "7.3", backend: "auto", expectedBackend: "kprobe.session", only: [] },
];

const PODS_TEST = "dist/test/live/pods.test.js";
/** Two minutes in a guest: on one kernel, and live. On another: npm run guest -- 7.3 node --test dist/test/applications/applications.test.js */
const APPLICATIONS_TEST = "dist/test/applications/applications.test.js";
const REQUESTS_TEST = "dist/test/requests/requests.test.js";

const testsInGuest = [
  PODS_TEST,
  // On the other kernels: npm run guest -- 7.3 node --test dist/test/requests/*.test.js
  ...["requests", "carried", "sampled-only", "thread-context", "tls"].map(
    (name) => `dist/test/requests/${name}.test.js`,
  ),
  "dist/test/tracer/tracer-parts.test.js",
  "dist/test/tracer/tracer-commands.test.js",
  "dist/test/live/filter-on-packets.test.js",
];

/** Emulated, and on a busy machine, everything takes its time. */
const GUEST_TIMEOUT_MS = 25 * 60_000;
const SETTLE_MS = 15_000;

/** A guest keeps one processor busy (qemu-arguments.ts). */
describe("guests", { concurrency: Math.max(1, Math.min(2, availableParallelism())), skip: whyNoGuests() }, () => {
  // One after another: two guests of one kernel must not both download it.
  before(async () => {
    for (const kernel of new Set(runs.map(({ kernel }) => kernel))) await prepareKernel(kernel);
  });

  for (const { kernel, backend, expectedBackend, only } of runs) {
    test(`the scenarios on kernel ${kernel} with the backend ${expectedBackend}`, {
      timeout: GUEST_TIMEOUT_MS + 120_000,
    }, async (context) => {
      const names = only.length === 0 ? "" : ` --only ${only.join(",")}`;
      const guest = await runInGuest({
        kernel,
        command: `node dist/test/kernels/run-scenarios.js --backend ${backend} --settle-ms ${SETTLE_MS}${names} --report "$SKBSPAN_RESULTS/report.json"`,
        timeoutMs: GUEST_TIMEOUT_MS,
      });
      const text = await readFile(join(guest.resultsDirectory, "report.json"), "utf8").catch(() => {
        throw new Error(`the guest ended with code ${guest.code} and wrote no report:\n${guest.output}`);
      });
      const report = JSON.parse(text) as ScenarioReport;
      await context.test(`the backend is ${expectedBackend}`, () => {
        if (report.backend !== expectedBackend) throw new Error(`the tracer chose ${report.backend}`);
      });
      await assertReport(context, report);
    });
  }

  /** Where functions can be attached. */
  const onNewerKernel = {
    "real applications": [APPLICATIONS_TEST],
    "the tracer's own tests, requests and the filter on real packets": testsInGuest,
  };
  for (const [title, files] of Object.entries(onNewerKernel))
    test(`${title} on kernel 6.12`, { timeout: GUEST_TIMEOUT_MS + 120_000 }, async () => {
      const guest = await runInGuest({
        kernel: "6.12",
        command: `node --test --test-concurrency=1 ${files.join(" ")}`,
        timeoutMs: GUEST_TIMEOUT_MS,
      });
      assert.equal(guest.code, 0, guest.output);
      assert.match(guest.output, /^# skipped 0$/m, guest.output);
    });

  const PARSER_TEST = "dist/test/http/http-parser.test.js";

  for (const kernel of ["6.1", "6.12", "7.3"])
    test(`the HTTP parser is verified and runs on kernel ${kernel}`, {
      timeout: GUEST_TIMEOUT_MS + 120_000,
    }, async () => {
      const guest = await runInGuest({ kernel, command: `node --test ${PARSER_TEST}`, timeoutMs: GUEST_TIMEOUT_MS });
      assert.equal(guest.code, 0, guest.output);
      assert.match(guest.output, /^# skipped 0$/m, guest.output);
    });

  /** 6.1 has no iterator of tasks: there the list of processes is followed. */
  for (const kernel of ["6.1", "7.3"])
    test(`pods and requests are known on kernel ${kernel}`, {
      timeout: GUEST_TIMEOUT_MS + 120_000,
    }, async () => {
      const guest = await runInGuest({
        kernel,
        command: `node bin/skbspan.js doctor; node --test --test-concurrency=1 ${PODS_TEST} ${REQUESTS_TEST}`,
        timeoutMs: GUEST_TIMEOUT_MS,
      });
      assert.equal(guest.code, 0, guest.output);
      assert.match(guest.output, /^# skipped 0$/m, guest.output);
      assert.match(
        guest.output,
        kernel === "6.1" ? /by following the list of processes/ : /by the kernel's iterator of tasks/,
      );
    });
});
