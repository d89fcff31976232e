/*
 * Prints the tracer's figures on the kernel that it runs on, as JSON on standard output:
 *
 *   node run-tracer-bench.js [--backend NAME] [--probes SET] [--rounds N]
 */
import { parseArgs } from "node:util";
import { benchTracer } from "./tracer-bench.js";

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "auto" },
    probes: { type: "string", default: "all" },
    rounds: { type: "string", default: "3" },
  },
});
const figures = await benchTracer({
  backend: values.backend,
  probes: values.probes,
  rounds: Number(values.rounds),
  onProgress: (line) => console.error(line),
});
console.log(JSON.stringify(figures));
