import { formatCount } from "./describe-stats.js";
import type { Consumer } from "./run-session.js";

/** The live count while nothing has come yet; nothing once journeys show themselves on standard output. */
export function describeWaiting({ state, journeys }: Consumer, elapsedMs: number): string | undefined {
  if (journeys > 0) return undefined;
  const seconds = `${Math.floor(elapsedMs / 1000)} s`;
  const { hello, stats } = state;
  if (!hello) return `attaching... ${seconds}`;
  const what = hello.filter === "" ? "nothing yet" : `nothing matches "${hello.filter}" yet`;
  const counts = [
    `${formatCount(stats.notMatched)} did not match`,
    ...(stats.live > 0 ? [`${formatCount(stats.live)} under way`] : []),
    ...(stats.discarded > 0 ? [`${formatCount(stats.discarded)} ended otherwise than wanted`] : []),
  ];
  return `${what}: ${counts.join(", ")}; ${seconds}`;
}

/** The live count where journeys go elsewhere. */
export function describeExported(consumer: Consumer, elapsedMs: number): string | undefined {
  if (consumer.journeys === 0) return describeWaiting(consumer, elapsedMs);
  return `${formatCount(consumer.journeys)} journeys, ${formatCount(consumer.spans)} spans; ${Math.floor(elapsedMs / 1000)} s`;
}
