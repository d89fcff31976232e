import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import { findTracer } from "./find-tracer.js";
import { queryTracer } from "./query-tracer.js";

/** What libpcap has against the filter; undefined when nothing, or when there is no tracer to ask. Needs no rights. */
export async function checkFilter(filter: string): Promise<string | undefined> {
  try {
    await queryTracer(findTracer(), ["check", "--filter", filter]);
  } catch (error) {
    if (error instanceof UserError && error.code === exitCode.filter) return error.message;
  }
  return undefined;
}
