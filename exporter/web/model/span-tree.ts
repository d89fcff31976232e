import type { SpanView } from "../../store/api-types.js";

export interface SpanTree {
  /** By start; spans whose parent is not here are roots. */
  readonly roots: readonly SpanView[];
  childrenOf(span: SpanView): readonly SpanView[];
  get(id: string): SpanView | undefined;
  parentOf(span: SpanView): SpanView | undefined;
}

/** Spans come sorted by start, so children keep that order. A cycle of parents (a broken sender) has no root and is left out. */
export function buildSpanTree(spans: readonly SpanView[]): SpanTree {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const children = new Map<string, SpanView[]>();
  const roots: SpanView[] = [];
  for (const span of spans) {
    const siblings = byId.has(span.parentId) && span.parentId !== span.id ? listOf(children, span.parentId) : roots;
    siblings.push(span);
  }
  return {
    roots,
    childrenOf: (span) => children.get(span.id) ?? [],
    get: (id) => byId.get(id),
    parentOf: (span) => byId.get(span.parentId),
  };
}

function listOf(lists: Map<string, SpanView[]>, key: string): SpanView[] {
  const known = lists.get(key);
  if (known !== undefined) return known;
  const fresh: SpanView[] = [];
  lists.set(key, fresh);
  return fresh;
}

/** The span and all below it, a parent before its children, in the order of their starts. */
export function flatten(tree: SpanTree, from: readonly SpanView[]): SpanView[] {
  const flat: SpanView[] = [];
  const pending = [...from].reverse();
  for (let span = pending.pop(); span !== undefined; span = pending.pop()) {
    flat.push(span);
    pending.push(...[...tree.childrenOf(span)].reverse());
  }
  return flat;
}
