import type { Attributes, ResourceView, SpanView } from "../../store/api-types.js";
import { formatDuration } from "../model/format.js";
import { formatValue, groupAttributes, STACK_ATTRIBUTE } from "../model/group-attributes.js";
import { readChanges } from "../model/read-changes.js";
import { formatRoute } from "../model/route.js";
import { Advice } from "./advice.js";
import { laneColour } from "./lane-colour.js";

interface SpanPanelProps {
  readonly span: SpanView;
  readonly resource: ResourceView | undefined;
  onClose(): void;
}

/** Everything that is known of one span. Beside the waterfall on a wide screen, over it on a narrow one. */
export function SpanPanel({ span, resource, onClose }: SpanPanelProps) {
  const advice = span.attributes["skb.drop.advice"];
  return (
    <aside class="panel" aria-label="Attributes of the selected span" aria-live="polite">
      <button type="button" class="panel-close" onClick={onClose} aria-label="Close (Escape)">
        ✕
      </button>
      <h2>
        <code>{span.name}</code>
      </h2>
      <p class="panel-facts">
        <span class="dot" style={{ background: laneColour(resource?.label ?? "") }} aria-hidden="true" />
        {resource?.label} · {ROLES[span.role]} · +{formatDuration(span.startNs)} · {formatDuration(span.durationNs)}
      </p>
      {span.failed && <p class="banner is-fault">{span.statusMessage || "failed"}</p>}
      {typeof advice === "string" && (
        <p class="advice">
          <Advice text={advice} />
        </p>
      )}
      <Changes span={span} />
      <AttributeTables attributes={span.attributes} />
      <KernelStack span={span} />
      <Events span={span} />
      <Links span={span} />
      <details>
        <summary>{span.role === "application" ? "Resource" : "Namespace"}</summary>
        <AttributeTables attributes={resource?.attributes ?? {}} />
      </details>
      <details>
        <summary>Ids</summary>
        <dl class="attributes">
          <dt>span</dt>
          <dd>{span.id}</dd>
          <dt>parent</dt>
          <dd>{span.parentId || "none"}</dd>
          <dt>scope</dt>
          <dd>{span.scope || "none"}</dd>
        </dl>
      </details>
    </aside>
  );
}

const ROLES = { journey: "journey", hop: "hop", wait: "wait", application: "application span" } as const;

function Changes({ span }: { readonly span: SpanView }) {
  const changes = readChanges(span);
  if (changes.length === 0) return null;
  return (
    <>
      <h3>Changed</h3>
      <dl class="attributes changes">
        {changes.map(({ field, before, after }) => (
          <div key={field}>
            <dt>{field}</dt>
            <dd>
              <span class="was">{before}</span> → <b>{after}</b>
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function AttributeTables({ attributes }: { readonly attributes: Attributes }) {
  return (
    <>
      {groupAttributes(attributes).map(({ title, entries }) => (
        <div key={title}>
          <h3>{title}</h3>
          <dl class="attributes">
            {entries.map(([key, value]) => (
              <div key={key}>
                <dt>{key}</dt>
                <dd>{formatValue(value)}</dd>
              </div>
            ))}
          </dl>
        </div>
      ))}
    </>
  );
}

function KernelStack({ span }: { readonly span: SpanView }) {
  const stack = span.attributes[STACK_ATTRIBUTE];
  if (typeof stack !== "string") return null;
  return (
    <>
      <h3>Kernel stack, innermost first</h3>
      <pre class="stack">{stack}</pre>
    </>
  );
}

function Events({ span }: { readonly span: SpanView }) {
  if (span.events.length === 0) return null;
  return (
    <>
      <h3>Events</h3>
      {span.events.map((event, index) => (
        <details key={index}>
          <summary>
            {event.name} · +{formatDuration(event.atNs)}
          </summary>
          <AttributeTables attributes={event.attributes} />
        </details>
      ))}
    </>
  );
}

function Links({ span }: { readonly span: SpanView }) {
  if (span.links.length === 0) return null;
  return (
    <>
      <h3>Links</h3>
      <ul>
        {span.links.map(({ traceId, spanId }) => (
          <li key={traceId + spanId}>
            <a href={formatRoute({ view: "trace", traceId, journeyId: "", spanId })}>
              <code>{traceId.slice(0, 16)}…</code>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
