/** One thing that is wrong with what the user wrote. */
export interface Mistake {
  /** Where it stands: `agent.yaml:3:9`, `SKBSPAN_SAMPLE`; empty on the command line, whose message names the flag. */
  readonly place: string;
  /** What is wrong, the rule, and the value. */
  readonly message: string;
}

/** A value as the user wrote it, with what to call it in a message. */
export interface Setting {
  readonly place: string;
  /** `--sample`, `sample`: how the option is called there. */
  readonly name: string;
  readonly text: string;
}

const MAX_SHOWN_CHARACTERS = 80;

/** A value in a message: quoted, on one line, not too long. */
export function quote(text: string): string {
  const shown = text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}...` : text;
  return JSON.stringify(shown);
}

export function describeMistakes(mistakes: readonly Mistake[]): string {
  const lines = mistakes.map(({ place, message }) => (place === "" ? message : `${place}: ${message}`));
  if (lines.length === 1) return lines[0] ?? "";
  return [`${lines.length} mistakes:`, ...lines.map((line) => `  ${line}`)].join("\n");
}
