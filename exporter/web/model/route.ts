export interface ListQuery {
  readonly end: string;
  readonly address: string;
  readonly port: string;
  readonly namespace: string;
  readonly function: string;
  readonly minDurationNs: string;
  readonly text: string;
  readonly path: string;
  readonly sort: string;
}

export const EMPTY_QUERY: ListQuery = {
  end: "",
  address: "",
  port: "",
  namespace: "",
  function: "",
  minDurationNs: "",
  text: "",
  path: "",
  sort: "",
};

export type Route =
  | { readonly view: "journeys"; readonly query: ListQuery }
  | { readonly view: "paths"; readonly query: ListQuery }
  | {
      readonly view: "trace";
      readonly traceId: string;
      /** The journey that is shown; empty: the whole trace. */
      readonly journeyId: string;
      /** The span whose attributes are shown; empty: the page chooses. */
      readonly spanId: string;
    };

/** The address bar's hash is the page's whole state, so that any view can be sent to a colleague. */
export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view = "", traceId = "", journeyId = ""] = path.split("/");
  const parameters = new URLSearchParams(search);
  if (view === "trace" && traceId !== "") {
    return { view, traceId, journeyId, spanId: parameters.get("span") ?? "" };
  }
  return { view: view === "paths" ? "paths" : "journeys", query: readQuery(parameters) };
}

function readQuery(parameters: URLSearchParams): ListQuery {
  const query: Record<keyof ListQuery, string> = { ...EMPTY_QUERY };
  for (const key of Object.keys(query) as (keyof ListQuery)[]) query[key] = parameters.get(key) ?? "";
  return query;
}

export function formatRoute(route: Route): string {
  if (route.view !== "trace") return `#/${route.view}${formatSearch(route.query)}`;
  const span = route.spanId === "" ? "" : `?span=${route.spanId}`;
  return `#/trace/${route.traceId}${route.journeyId === "" ? "" : `/${route.journeyId}`}${span}`;
}

/** Only what is set, with its leading question mark; the server takes the same names. */
export function formatSearch(query: ListQuery): string {
  const set = Object.entries(query).filter(([, value]) => value !== "");
  return set.length === 0 ? "" : `?${new URLSearchParams(set)}`;
}

/** Without `sort`, which hides nothing. */
export function isFiltered(query: ListQuery): boolean {
  return Object.entries(query).some(([key, value]) => key !== "sort" && value !== "");
}
