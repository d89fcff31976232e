import type { SpanView } from "../../store/api-types.js";
import type { SpanTree } from "./span-tree.js";

export interface Row {
  readonly span: SpanView;
  readonly depth: number;
  readonly hasChildren: boolean;
  readonly isCollapsed: boolean;
  /** The namespace is another than in the rows before: the waterfall draws the lane's heading above. */
  readonly startsLane: boolean;
}

/**
 * The waterfall's rows from top to bottom, without those under a collapsed one. A packet under an application's span begins no lane:
 * packets go to and fro, and there would be a heading for each.
 */
export function buildRows(
  tree: SpanTree,
  from: readonly SpanView[],
  collapsed: ReadonlySet<string>,
  laneOf: (span: SpanView) => string,
): Row[] {
  let lane: string | undefined;
  const rows: Row[] = [];
  const pending = [...from].reverse().map((span) => ({ span, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { span, depth } = next;
    const children = tree.childrenOf(span);
    const isCollapsed = collapsed.has(span.id) && children.length > 0;
    const isPacketOfRequest = span.role === "journey" && depth > 0;
    const startsLane = !isPacketOfRequest && lane !== laneOf(span);
    if (startsLane) lane = laneOf(span);
    rows.push({ span, depth, hasChildren: children.length > 0, isCollapsed, startsLane });
    if (isCollapsed) continue;
    for (const child of [...children].reverse()) pending.push({ span: child, depth: depth + 1 });
  }
  return rows;
}
