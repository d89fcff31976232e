import { useEffect, useState } from "preact/hooks";
import { formatRoute, parseRoute, type Route } from "../model/route.js";

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = (): void => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return route;
}

export function go(route: Route): void {
  location.hash = formatRoute(route);
}

/** Without an entry in the history: for what changes with every key, as filters and selections do. */
export function replaceRoute(route: Route): void {
  history.replaceState(null, "", formatRoute(route));
  dispatchEvent(new HashChangeEvent("hashchange"));
}
