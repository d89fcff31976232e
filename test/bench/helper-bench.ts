import { fileURLToPath } from "node:url";
import { runProgram } from "../kernels/run-program.js";

/** Nanoseconds of processor time that a write costs, a figure a round. */
export interface HelperFigures {
  readonly spans: string;
  readonly without: readonly number[];
  readonly with: readonly number[];
}

const ROUNDS = 7;
const WRITE_LOAD = fileURLToPath(new URL("write-load.js", import.meta.url));

/** What a write costs an application with skbspan/register and without, in turns; nobody is told anything. */
export async function benchHelper(say: (text: string) => void): Promise<HelperFigures[]> {
  const figures = ["none", "same", "each"].map((spans) => ({ spans, without: [] as number[], with: [] as number[] }));
  for (let round = 1; round <= ROUNDS; round++) {
    say(`the helper, round ${round} of ${ROUNDS}`);
    for (const figure of figures) {
      figure.without.push(await measure([], figure.spans));
      figure.with.push(await measure(["--import", "skbspan/register"], figure.spans));
    }
  }
  return figures;
}

async function measure(flags: readonly string[], spans: string): Promise<number> {
  return Number(await runProgram(process.execPath, [...flags, WRITE_LOAD, spans]));
}
