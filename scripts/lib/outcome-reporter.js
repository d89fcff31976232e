/**
 * A reporter for `node --test` that writes what the run came to as one JSON line: node's own closing figures, and every test
 * that was skipped or marked as to do, with the reason.
 * @typedef {{ totals: Record<string, number>, skipped: { name: string, file: string, reason: string }[] }} Outcome
 */

/** @param {AsyncIterable<{ type: string, data: any }>} source */
export default async function* reportOutcome(source) {
  /** @type {Outcome} */
  const outcome = { totals: {}, skipped: [] };
  for await (const { type, data } of source) {
    if (type === "test:diagnostic" && data.nesting === 0) {
      const figure = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/.exec(data.message);
      if (figure) outcome.totals[figure[1]] = Number(figure[2]);
    }
    const why = data?.skip ?? data?.todo;
    if ((type === "test:pass" || type === "test:fail") && why !== undefined && why !== false)
      outcome.skipped.push({
        name: data.name,
        file: data.file ?? "",
        reason: why === true ? "no reason given" : String(why),
      });
  }
  yield `${JSON.stringify(outcome)}\n`;
}
