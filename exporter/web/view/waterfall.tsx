import { memo } from "preact/compat";
import { useMemo, useState } from "preact/hooks";
import type { ResourceView, SpanView, TraceAnswer } from "../../store/api-types.js";
import { buildRows, type Row } from "../model/build-rows.js";
import { buildScale, type Scale } from "../model/build-scale.js";
import { formatDuration } from "../model/format.js";
import type { SpanTree } from "../model/span-tree.js";
import { laneColour } from "./lane-colour.js";
import { LaneOverview } from "./lane-overview.js";
import { moveFocus, useKeys } from "./use-keys.js";
import { WaterfallBar } from "./waterfall-bar.js";

interface WaterfallProps {
  readonly trace: TraceAnswer;
  readonly tree: SpanTree;
  readonly top: readonly SpanView[];
  readonly spans: readonly SpanView[];
  readonly selectedId: string;
  readonly isCompressed: boolean;
  onCompress(): void;
  onSelect(span: SpanView): void;
  onOpen(span: SpanView): void;
}

/** More rows than this are drawn only when asked for: a browser lays out some thousands at once, not more. */
const MAX_ROWS = 3_000;

export function Waterfall(props: WaterfallProps) {
  const { trace, tree, top, spans, selectedId, isCompressed } = props;
  const [collapsed, setCollapsed] = useState(() => closedAtFirst(top, spans));
  const [maxRows, setMaxRows] = useState(MAX_ROWS);
  const scale = useMemo(() => buildScale(spans, isCompressed), [spans, isCompressed]);
  const rows = useMemo(() => {
    const laneOf = ({ resource }: SpanView): string => trace.resources[resource]?.label ?? "";
    return buildRows(tree, top, collapsed, laneOf);
  }, [trace, tree, top, collapsed]);
  const toggle = (id: string, isClosed: boolean): void => {
    const next = new Set(collapsed);
    if (isClosed) next.add(id);
    else next.delete(id);
    setCollapsed(next);
  };
  useRowKeys(props, rows, toggle);
  return (
    <div class="waterfall">
      <LaneOverview spans={spans} resources={trace.resources} scale={scale} />
      <Axis scale={scale} isCompressed={isCompressed} onCompress={props.onCompress} />
      <div class="rows-and-gaps">
        <div class="gaps" aria-hidden="true">
          <span />
          <span class="gap-area">
            {scale.breaks.map(({ from, to }) => (
              <span key={from} class="gap" style={{ left: `${from * 100}%`, width: `${(to - from) * 100}%` }} />
            ))}
          </span>
        </div>
        <div role="treegrid" aria-label="Hops" aria-rowcount={rows.length} class="rows">
          {rows.slice(0, maxRows).map((row, index) => (
            <WaterfallRow
              key={row.span.id}
              row={row}
              index={index}
              scale={scale}
              resource={trace.resources[row.span.resource]}
              isSelected={row.span.id === selectedId}
              onOpen={props.onOpen}
              onToggle={toggle}
            />
          ))}
        </div>
      </div>
      {rows.length > maxRows && (
        <button type="button" class="button" onClick={() => setMaxRows(maxRows + MAX_ROWS)}>
          Show {Math.min(MAX_ROWS, rows.length - maxRows)} more of {rows.length} spans
        </button>
      )}
    </div>
  );
}

/** Under an application's spans the packets alone are shown at first, and the functions only of those that were dropped. */
function closedAtFirst(top: readonly SpanView[], spans: readonly SpanView[]): ReadonlySet<string> {
  if (top.every(({ role }) => role === "journey")) return new Set<string>();
  return new Set(spans.filter(({ role, failed }) => role === "journey" && !failed).map(({ id }) => id));
}

/** Packets side by side under a request have one name. */
function nameRow({ name, attributes }: SpanView): string {
  const flags = attributes["tcp.flags"];
  return attributes["journey.join"] !== undefined && typeof flags === "string" ? `${name}  ${flags}` : name;
}

function useRowKeys(
  props: WaterfallProps,
  rows: readonly Row[],
  toggle: (id: string, isClosed: boolean) => void,
): void {
  const at = (): number => rows.findIndex(({ span }) => span.id === props.selectedId);
  const move = (to: number): void => {
    const span = rows[Math.max(0, Math.min(rows.length - 1, to))]?.span;
    if (span === undefined) return;
    props.onSelect(span);
    moveFocusTo(span.id);
  };
  const isOnControl = (): boolean =>
    document.activeElement instanceof HTMLButtonElement || document.activeElement instanceof HTMLAnchorElement;
  const close = (): void => {
    const row = rows[at()];
    if (row === undefined) return;
    if (row.hasChildren && !row.isCollapsed) return toggle(row.span.id, true);
    const parent = props.tree.parentOf(row.span);
    if (parent) move(rows.findIndex(({ span }) => span === parent));
  };
  const open = (): void => {
    const row = rows[at()];
    if (row?.isCollapsed) toggle(row.span.id, false);
    else if (row?.hasChildren) move(at() + 1);
  };
  useKeys({
    j: () => move(at() + 1),
    k: () => move(at() - 1),
    ArrowDown: () => move(at() + 1),
    ArrowUp: () => move(at() - 1),
    Home: () => move(0),
    End: () => move(rows.length - 1),
    ArrowLeft: close,
    ArrowRight: open,
    Enter: () => {
      const span = rows[at()]?.span;
      if (isOnControl()) (document.activeElement as HTMLElement).click();
      else if (span) props.onOpen(span);
    },
  });
}

function moveFocusTo(spanId: string): void {
  const row = document.getElementById(`span-${spanId}`);
  if (row === null) return moveFocus(".row", "last");
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function Axis({
  scale,
  isCompressed,
  onCompress,
}: {
  readonly scale: Scale;
  readonly isCompressed: boolean;
  onCompress(): void;
}) {
  return (
    <div class="axis">
      <button
        type="button"
        class="link"
        onClick={onCompress}
        aria-pressed={isCompressed}
        title="Draw times in which the packet only waits shorter (w)"
      >
        {isCompressed ? "waits shortened" : "true to scale"}
      </button>
      <div class="axis-ticks" aria-hidden="true">
        {scale.ticks.map(({ atNs, position }) => (
          <span key={atNs} class="tick" style={{ left: `${position * 100}%` }}>
            {atNs === 0 ? "0" : formatDuration(atNs)}
          </span>
        ))}
      </div>
      <span class="axis-end">{formatDuration(scale.endNs - scale.startNs)}</span>
    </div>
  );
}

interface WaterfallRowProps {
  readonly row: Row;
  readonly index: number;
  readonly scale: Scale;
  readonly resource: ResourceView | undefined;
  readonly isSelected: boolean;
  onOpen(span: SpanView): void;
  onToggle(id: string, isClosed: boolean): void;
}

/** Drawn anew only for what is seen to change: moving the selection over 1,000 rows draws two. */
const WaterfallRow = memo(
  function WaterfallRow({ row, index, scale, resource, isSelected, onOpen, onToggle }: WaterfallRowProps) {
    const { span, depth, hasChildren, isCollapsed, startsLane } = row;
    const label = resource?.label ?? "";
    return (
      <>
        {startsLane && (
          <div class="lane" role="presentation" style={{ "--lane": laneColour(label) }}>
            <b>{label}</b> {resource?.detail && <small>{resource.detail}</small>}
          </div>
        )}
        <div
          id={`span-${span.id}`}
          role="row"
          class={`row role-${span.role} ${span.failed ? "is-fault" : ""} ${isSelected ? "is-selected" : ""}`}
          style={{ "--lane": laneColour(label) }}
          tabIndex={isSelected ? 0 : -1}
          aria-level={depth + 1}
          aria-rowindex={index + 1}
          aria-selected={isSelected}
          aria-expanded={hasChildren ? !isCollapsed : undefined}
          onClick={() => onOpen(span)}
        >
          <span role="gridcell" class="row-name" style={{ "--depth": Math.min(depth, 14) }}>
            <span
              class={`twisty ${hasChildren ? "" : "is-leaf"}`}
              aria-hidden="true"
              onClick={(event) => {
                if (!hasChildren) return;
                event.stopPropagation();
                onToggle(span.id, !isCollapsed);
              }}
            >
              {hasChildren ? (isCollapsed ? "▸" : "▾") : ""}
            </span>
            <span class="row-label">{nameRow(span)}</span>
            {span.role === "journey" && depth > 0 && <small class="row-from">{label}</small>}
          </span>
          <span role="gridcell" class="row-bar">
            <WaterfallBar span={span} scale={scale} />
          </span>
          <span role="gridcell" class="row-duration">
            {span.attributes["hop.duration_inferred"] === true && (
              <span title="The function's return was not observed: this is the time until what came next">~</span>
            )}
            {formatDuration(span.durationNs)}
          </span>
        </div>
      </>
    );
  },
  (before, after) =>
    before.row.span === after.row.span &&
    before.row.isCollapsed === after.row.isCollapsed &&
    before.row.hasChildren === after.row.hasChildren &&
    before.row.startsLane === after.row.startsLane &&
    before.scale === after.scale &&
    before.isSelected === after.isSelected,
);
