import { accessSync, constants } from "node:fs";
import { fileURLToPath } from "node:url";
import { systemErrorCode } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";

/** From dist/exporter/tracer/ and from a bundle in dist/ or beside the binary. */
const places = ["../../../build/skbspan-tracer", "../build/skbspan-tracer", "./skbspan-tracer"];

/** The tracer's path: SKBSPAN_TRACER, or where the build puts it. Throws UserError when it cannot be started. */
export function findTracer(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const named = environment["SKBSPAN_TRACER"];
  const candidates = named ? [named] : places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  for (const path of candidates) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (error) {
      if (systemErrorCode(error) === "EACCES")
        throw new UserError(exitCode.rights, `The tracer ${path} may not be executed by this user.`);
    }
  }
  throw new UserError(exitCode.failure, `The tracer is not there: no ${candidates[0]}.`, {
    hint: named
      ? "SKBSPAN_TRACER has to be the path of skbspan-tracer."
      : "Build it: `npm run build` (needs clang, libbpf and libpcap).",
  });
}
