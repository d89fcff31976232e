/** A lab that could not be built or a command in it that failed; `message` says what, where and what to do. */
export class LabError extends Error {
  override readonly name = "LabError";
}
