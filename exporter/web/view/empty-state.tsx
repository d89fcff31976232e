import type { SummaryAnswer } from "../../store/api-types.js";

/** What to do when there is nothing to see yet. */
export function EmptyState({ summary }: { readonly summary: SummaryAnswer | undefined }) {
  const { grpc, http } = summary?.receivers ?? { grpc: "", http: "" };
  return (
    <section class="empty">
      <h2>No packets yet</h2>
      <p>Journeys show up here, by themselves, as soon as skbspan sends them. If nothing comes:</p>
      <ol>
        <li>
          Trace something and send it here:{" "}
          <code>
            {grpc && `OTEL_EXPORTER_OTLP_ENDPOINT=http://${grpc} `}npx skbspan trace --export otlp 'tcp port 80'
          </code>
        </li>
        <li>
          Make traffic that the filter matches: <code>curl http://…</code>
        </li>
        <li>
          See what this kernel and your rights allow: <code>npx skbspan doctor</code>
        </li>
      </ol>
      {(grpc || http) && (
        <p>
          Your own application's traces are welcome, too: send OTLP
          {grpc && (
            <>
              {" "}
              over gRPC to <code>{grpc}</code>
            </>
          )}
          {grpc && http && " or"}
          {http && (
            <>
              {" "}
              over HTTP to <code>{http}/v1/traces</code>
            </>
          )}
          .
        </p>
      )}
    </section>
  );
}
