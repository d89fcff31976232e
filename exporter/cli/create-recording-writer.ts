import { closeSync, constants, fstatSync, ftruncateSync, openSync, unlinkSync, writeSync } from "node:fs";
import { finished, type Writable } from "node:stream";
import { describeSystemError, systemErrorCode } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";

/** Where the bytes of a recording go. */
export interface RecordingWriter {
  readonly name: string;
  readonly writtenBytes: number;
  /** Throws UserError when the file cannot be written: what was written before stays. */
  write(bytes: Uint8Array): void;
  drained(): Promise<void> | undefined;
  close(): Promise<void>;
}

/**
 * Makes the file, but leaves what it holds alone until the first byte comes: a filter that does not parse is not to cost
 * an old recording. Throws UserError when it exists and `isForced` is false.
 */
export function createFileWriter(path: string, options: { readonly isForced: boolean }): RecordingWriter {
  const { descriptor, isNew } = openFile(path, options.isForced);
  const isRegular = fstatSync(descriptor).isFile();
  let writtenBytes = 0;
  return {
    name: path,
    get writtenBytes() {
      return writtenBytes;
    },
    write(bytes) {
      try {
        if (writtenBytes === 0 && isRegular) ftruncateSync(descriptor, 0);
        for (let at = 0; at < bytes.length; ) {
          const written = writeSync(descriptor, bytes, at);
          at += written;
          writtenBytes += written;
        }
      } catch (error) {
        throw new UserError(exitCode.failure, `Cannot write to ${path}: ${describeSystemError(error)}.`, {
          hint: `The first ${writtenBytes} bytes are there; they can be replayed up to the cut.`,
          cause: error,
        });
      }
    },
    drained: () => undefined,
    async close() {
      closeSync(descriptor);
      if (writtenBytes === 0 && isNew) unlinkSync(path);
    },
  };
}

function openFile(path: string, isForced: boolean): { descriptor: number; isNew: boolean } {
  const mode = 0o644;
  try {
    return { descriptor: openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode), isNew: true };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT")
      throw new UserError(exitCode.failure, `Cannot write to ${path}: its directory does not exist.`, { cause: error });
    if (systemErrorCode(error) !== "EEXIST") throw cannotOpen(path, error);
  }
  try {
    const descriptor = openSync(path, constants.O_WRONLY);
    if (isForced || !fstatSync(descriptor).isFile()) return { descriptor, isNew: false };
    closeSync(descriptor);
  } catch (error) {
    throw cannotOpen(path, error);
  }
  throw new UserError(exitCode.failure, `${path} exists already and would be lost.`, {
    hint: "Choose another name, or write over it with --force.",
  });
}

function cannotOpen(path: string, cause: unknown): UserError {
  return new UserError(exitCode.failure, `Cannot write to ${path}: ${describeSystemError(cause)}.`, { cause });
}

/** A recording to standard output. */
export function createStreamWriter(output: Writable): RecordingWriter {
  let writtenBytes = 0;
  let waiting: Promise<void> | undefined;
  const awaitDrain = (): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        output.off("drain", done);
        stopWatching();
        waiting = undefined;
        resolve();
      };
      const stopWatching = finished(output, done);
      output.on("drain", done);
    });
  return {
    name: "standard output",
    get writtenBytes() {
      return writtenBytes;
    },
    write(bytes) {
      if (output.destroyed) return;
      writtenBytes += bytes.length;
      if (!output.write(bytes)) waiting ??= awaitDrain();
    },
    drained: () => waiting,
    async close() {
      await waiting;
    },
  };
}
