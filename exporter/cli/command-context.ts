import type { Writable } from "node:stream";
import type { LoadedConfig } from "../config/load-config.js";
import type { Environment } from "../config/read-environment.js";
import type { Reporter } from "./create-reporter.js";

/** What a command has to work with. */
export interface CommandContext extends LoadedConfig {
  readonly environment: Environment;
  readonly standardOutput: StandardOutput;
  readonly reporter: Reporter;
}

export interface StandardOutput {
  readonly stream: Writable & { readonly isTTY?: boolean };
  /** Aborted when nobody reads it any more (`| head`), or when it cannot be written. */
  readonly closed: AbortSignal;
  /** Why it cannot be written; undefined when its reader merely went away. */
  readonly failure: Error | undefined;
}

/** Returns when the command has done its work. Throws UserError, ListenError or StreamError when it could not. */
export type RunCommand = (context: CommandContext) => Promise<void>;
