import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Outside the checkout, so that a fresh clone need not fetch kernels again. */
export function cacheDirectory(environment = process.env): string {
  const chosen = environment["SKBSPAN_CACHE"];
  return chosen ? resolve(chosen) : join(environment["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "skbspan");
}
