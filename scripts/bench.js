import { join } from "node:path";
import { build } from "./lib/build.js";
import { installPackages } from "./lib/install-packages.js";
import { demoNeeds, guestNeeds } from "./lib/packages.js";
import { asRoot, root } from "./lib/run.js";
import { runScript, say } from "./lib/say.js";

const GUEST_TIMEOUT_MS = 40 * 60_000;

// npm run bench [-- live guest requests exporter helper]: figures of the tracer on this kernel and in a guest with 6.12, of looking for
// requests there, of the exporter, and of skbspan/register.
// They are ratios of what ran in turns in one run. Absolute figures are this machine's; a guest's clock counts instructions, one a
// nanosecond, so its figures are the same in every run.
await runScript(async () => {
  const parts = process.argv.slice(2);
  const wants = (/** @type {string} */ part) => parts.length === 0 || parts.includes(part);
  await installPackages([...demoNeeds, ...guestNeeds]);
  await build({ withTests: true });
  const { renderExporterFigures, renderHelperFigures, renderRequestsFigures, renderTracerFigures } = await import(
    "../dist/test/bench/render-figures.js"
  );
  if (wants("live")) print(renderTracerFigures("the tracer, this kernel, best backend, all probes", await benchLive()));
  if (wants("guest"))
    for (const backend of ["kprobe.session", "kprobe.multi", "tracepoint"])
      print(renderTracerFigures(`the tracer, guest with 6.12, ${backend}, all probes`, await benchGuest(backend)));
  if (wants("requests"))
    print(renderRequestsFigures("looking for requests, guest with 6.12, kprobe.session", await benchRequests()));
  if (wants("exporter")) {
    const { benchExporter } = await import("../dist/test/bench/exporter-bench.js");
    print(renderExporterFigures(await benchExporter(say)));
  }
  if (wants("helper")) {
    const { benchHelper } = await import("../dist/test/bench/helper-bench.js");
    print(renderHelperFigures(await benchHelper(say)));
  }
});

/** @param {string} text */
function print(text) {
  process.stdout.write(`${text}\n`);
}

async function benchLive() {
  const { execFile } = await import("node:child_process");
  const { promisify } = await import("node:util");
  const [file, args] = await asRoot(process.execPath, [join(root, "dist/test/bench/run-tracer-bench.js")]);
  const running = promisify(execFile)(file, args);
  running.child.stderr?.pipe(process.stderr);
  return JSON.parse((await running).stdout);
}

/** @param {string} backend */
async function benchGuest(backend) {
  return runBenchInGuest(`run-tracer-bench.js --backend ${backend} --rounds 2 --load-ms 200 --processor-time`);
}

async function benchRequests() {
  return runBenchInGuest("run-requests-bench.js --backend kprobe.session --rounds 2 --load-ms 100");
}

/** @param {string} command */
async function runBenchInGuest(command) {
  const { readFile } = await import("node:fs/promises");
  const { runInGuest } = await import("../dist/test/kernels/run-in-guest.js");
  const guest = await runInGuest({
    kernel: "6.12",
    countsInstructions: true,
    command: `node dist/test/bench/${command} > "$SKBSPAN_RESULTS/figures.json"`,
    timeoutMs: GUEST_TIMEOUT_MS,
    onOutput: (text) => process.stderr.write(text),
  });
  if (guest.code !== 0) throw new Error(`the benchmark failed in the guest:\n${guest.output}`);
  return JSON.parse(await readFile(join(guest.resultsDirectory, "figures.json"), "utf8"));
}
