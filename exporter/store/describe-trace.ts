import type { ResourceView, SpanView, TraceAnswer } from "./api-types.js";
import type { StoredTrace } from "./create-trace-store.js";
import { labelResource } from "./label-resource.js";
import { type ResourceRecord, type SpanRecord, STATUS_ERROR } from "./span-record.js";
import { byStart, readDurationNs, roleOf, summariseTrace } from "./summarise-trace.js";

/** A whole trace as the page draws it: times from the trace's start, resources once each. */
export function describeTrace(trace: StoredTrace): TraceAnswer {
  const spans = [...trace.spans].sort(byStart);
  const startUnixNs = spans[0]?.startUnixNs ?? 0n;
  const resources = new ResourceTable();
  const views = spans.map((span) => describeSpan(span, startUnixNs, resources.indexOf(span.resource)));
  return {
    traceId: trace.traceId,
    startUnixNs: startUnixNs.toString(),
    durationNs: views.reduce((end, view) => Math.max(end, view.startNs + view.durationNs), 0),
    resources: resources.views,
    spans: views,
    journeys: summariseTrace(trace).map(({ summary }) => summary),
  };
}

class ResourceTable {
  readonly views: ResourceView[] = [];
  private readonly indices = new Map<string, number>();

  indexOf(resource: ResourceRecord): number {
    const known = this.indices.get(resource.identity);
    if (known !== undefined) return known;
    this.indices.set(resource.identity, this.views.length);
    return this.views.push({ ...labelResource(resource.attributes), attributes: resource.attributes }) - 1;
  }
}

function describeSpan(span: SpanRecord, startUnixNs: bigint, resource: number): SpanView {
  return {
    id: span.spanId,
    parentId: span.parentSpanId,
    name: span.name,
    role: roleOf(span),
    kind: span.kind,
    startNs: Number(span.startUnixNs - startUnixNs),
    durationNs: readDurationNs(span),
    resource,
    scope: span.scope.name,
    attributes: span.attributes,
    failed: span.statusCode === STATUS_ERROR,
    statusMessage: span.statusMessage,
    events: span.events.map(({ unixNs, name, attributes }) => ({
      name,
      atNs: Number(unixNs - startUnixNs),
      attributes,
    })),
    links: span.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
  };
}
