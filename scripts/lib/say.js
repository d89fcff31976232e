/** Tells a person at the terminal what a script does; standard output stays for what was asked for.
 * @param {string} text */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** A failure that the user can mend: shown as its message, without a stack. */
export class ScriptError extends Error {}

/** Runs a script: its result is the exit code, its ScriptError a line on standard error.
 * @param {() => Promise<number | void>} script */
export async function runScript(script) {
  try {
    process.exitCode = (await script()) ?? 0;
  } catch (error) {
    // Guests say themselves what went wrong.
    if (!(error instanceof ScriptError) && error?.name !== "GuestError") throw error;
    say(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
