import { type Tracer, trace } from "@opentelemetry/api";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { NodeTracerProvider, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { ATTR_SERVICE_NAME } from "@opentelemetry/semantic-conventions";

/**
 * OpenTelemetry's SDK for an application of the demo, with the W3C trace context that it has by default. A pod of the demo has no way
 * to the demo's store over its network: spans leave as OTLP/JSON, a line each, on standard output, and no packet is made for them.
 */
export function traceApplication(service: string): Tracer {
  const exporter = { export: writeSpans, shutdown: async (): Promise<void> => {} };
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ [ATTR_SERVICE_NAME]: service }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  provider.register();
  return trace.getTracer("skbspan-demo");
}

/** For spans: by itself the SDK begins them at whole milliseconds, in which a packet crosses the demo's network many times. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

function writeSpans(spans: ReadableSpan[], done: (result: { readonly code: number }) => void): void {
  const json = JsonTraceSerializer.serializeRequest(spans);
  process.stdout.write(Buffer.concat([json ?? Buffer.alloc(0), Buffer.from("\n")]), () => done({ code: 0 }));
}
