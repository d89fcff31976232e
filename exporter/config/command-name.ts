export const commandNames = [
  "trace",
  "drops",
  "run",
  "record",
  "replay",
  "functions",
  "doctor",
  "demo",
] as const;

export type CommandName = (typeof commandNames)[number];
