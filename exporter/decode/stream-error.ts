/**
 * Why a stream cannot be read (any further):
 * - `foreign`: it is not a stream of skbspan
 * - `version`: another version of skbspan wrote it
 * - `corrupt`: it began well, then broke its own rules
 * - `cut`: it ended before its END frame
 */
export type StreamErrorCode = "foreign" | "version" | "corrupt" | "cut";

/** What the decoder throws, and nothing else. `offset` counts bytes from the start of the stream. */
export class StreamError extends Error {
  readonly code: StreamErrorCode;
  readonly offset: number;

  constructor(code: StreamErrorCode, offset: number, message: string) {
    super(message);
    this.name = "StreamError";
    this.code = code;
    this.offset = offset;
  }
}
