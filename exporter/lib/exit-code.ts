/** What the process says when it ends; the tracer uses the same numbers. */
export const exitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  rights: 3,
  kernel: 4,
  filter: 5,
  stream: 6,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: "all went well; also when Ctrl-C or a limit ended it",
  1: "something failed on the way: the message says what",
  2: "the command line, an environment variable or the configuration file is wrong",
  3: "rights are missing: run as root, or give the capabilities that the message names",
  4: "this kernel cannot do what was asked for: `skbspan doctor` says why",
  5: "the filter expression is not valid",
  6: "the recording or the stream cannot be read: cut, damaged, foreign or of another version",
};

export function toExitCode(code: number): ExitCode {
  return code in exitCodeMeanings ? (code as ExitCode) : exitCode.failure;
}
