/*
 * Namespaces get their colours in the order in which they are first drawn, so that few namespaces never share one, and
 * keep them while the page is open. The colours (page.css) differ in lightness, too, for those who see fewer hues.
 */
const LANE_COLOURS = 8;
const given = new Map<string, number>([["node", 0]]);

export function laneColour(label: string): string {
  let index = given.get(label);
  if (index === undefined) {
    // The node keeps the first colour for itself.
    index = 1 + ((given.size - 1) % (LANE_COLOURS - 1));
    given.set(label, index);
  }
  return `var(--lane-${index})`;
}
