import { readFileSync } from "node:fs";

/** The instrumentation scope of every span. */
export const scope: { readonly name: string; readonly version: string } = { name: "skbspan", version: readVersion() };

/** The package's version: from package.json next to dist/, or beside a bundle. */
function readVersion(): string {
  for (const path of ["../../../package.json", "../package.json", "./package.json"]) {
    try {
      const parsed: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
      const { name, version } = parsed as { name?: unknown; version?: unknown };
      if (name === "skbspan" && typeof version === "string") return version;
    } catch {
      // not there: the next place
    }
  }
  return "unknown";
}
