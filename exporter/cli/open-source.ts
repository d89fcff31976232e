import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { describeSystemError } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { CommandContext } from "./command-context.js";

/** Where a stream of the tracer comes from. */
export interface Source {
  /** For messages: the file's name, or `the tracer`. */
  readonly name: string;
  readonly isRecording: boolean;
  /** Ends when there is no more. Throws UserError when it cannot be read, or when the tracer failed. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Gives the tracer a command; a recording takes none. */
  send(command: string): void;
  /** Asks for the end. A tracer still writes what it has, and its END frame; a recording is left where it stands. */
  stop(): void;
  /** Ends without waiting. */
  kill(): void;
}

/** The kernel of this machine, or the recording that the user named. */
export async function openSource(context: CommandContext, recording = context.config.recording): Promise<Source> {
  return recording === undefined ? openTracer(context) : openRecording(recording);
}

async function openTracer({ config, reporter, environment }: CommandContext): Promise<Source> {
  const { startTracer } = await import("../tracer/start-tracer.js");
  const { tracerArguments } = await import("../tracer/tracer-arguments.js");
  const { tracerFailure } = await import("../tracer/tracer-failure.js");
  const tracer = startTracer({
    arguments: tracerArguments(config),
    environment,
    onWarning: (text) => reporter.warn(text),
  });
  async function* read(): AsyncGenerator<Uint8Array> {
    yield* tracer.stdout;
    const exit = await tracer.exited;
    if (exit.code !== exitCode.ok) throw tracerFailure(exit);
  }
  return {
    name: "the tracer",
    isRecording: false,
    bytes: read(),
    send: (command) => tracer.send(command),
    stop: () => tracer.stop(),
    kill: () => tracer.kill(),
  };
}

async function openRecording(path: string): Promise<Source> {
  const fail = (error: unknown): never => {
    throw new UserError(exitCode.failure, `Cannot read the recording ${path}: ${describeSystemError(error)}.`, {
      cause: error,
    });
  };
  if (path !== "-") {
    const status = await stat(path).catch(fail);
    if (status.isDirectory()) fail(new Error("it is a directory"));
  }
  const stream = path === "-" ? process.stdin : createReadStream(path, { highWaterMark: 256 * 1024 });
  let isStopped = false;
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of stream) {
        if (isStopped) return;
        yield chunk as Uint8Array;
      }
    } catch (error) {
      if (!isStopped) fail(error);
    }
  }
  const stop = (): void => {
    isStopped = true;
    stream.destroy();
  };
  return {
    name: path === "-" ? "standard input" : path,
    isRecording: true,
    bytes: read(),
    send() {},
    stop,
    kill: stop,
  };
}
