/*
 * Prints what it costs to look for requests on the kernel that it runs on, as JSON on standard output:
 *
 *   node run-requests-bench.js [--backend NAME] [--rounds N] [--load-ms N]
 */
import { parseArgs } from "node:util";
import { benchRequests } from "./requests-bench.js";

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "auto" },
    rounds: { type: "string", default: "3" },
    "load-ms": { type: "string", default: "500" },
  },
});
const figures = await benchRequests({
  backend: values.backend,
  rounds: Number(values.rounds),
  loadMs: Number(values["load-ms"]),
  onProgress: (line) => console.error(line),
});
console.log(JSON.stringify(figures));
