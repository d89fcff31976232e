/*
 * Prints the tracer's figures on the kernel that it runs on, as JSON on standard output:
 *
 *   node run-tracer-bench.js [--backend NAME] [--probes SET] [--rounds N] [--load-ms N] [--processor-time]
 */
import { parseArgs } from "node:util";
import { benchTracer } from "./tracer-bench.js";

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "auto" },
    probes: { type: "string", default: "all" },
    rounds: { type: "string", default: "3" },
    "load-ms": { type: "string", default: "1500" },
    "processor-time": { type: "boolean", default: false },
  },
});
const figures = await benchTracer({
  backend: values.backend,
  probes: values.probes,
  rounds: Number(values.rounds),
  loadMs: Number(values["load-ms"]),
  time: values["processor-time"] ? "processor" : "elapsed",
  onProgress: (line) => console.error(line),
});
console.log(JSON.stringify(figures));
