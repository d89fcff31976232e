import type { PodNamespace, PodResolver } from "./create-pod-resolver.js";
import { isPodSelected, type PodSelection } from "./select-pod.js";

export interface FollowOptions {
  readonly resolver: PodResolver;
  readonly selection: PodSelection;
  /** Gives the tracer a command. */
  readonly send: (command: string) => void;
}

export interface FollowedPods {
  /** How many namespaces the tracer looks at packets in. */
  readonly namespaces: number;
}

/** Keeps the tracer told in which network namespaces the selected pods are, as they come and go. */
export function followPods({ resolver, selection, send }: FollowOptions): FollowedPods {
  const chosen = new Set<bigint>();
  const choose = (key: bigint, isWanted: boolean): void => {
    if (isWanted === chosen.has(key)) return;
    if (isWanted) chosen.add(key);
    else chosen.delete(key);
    send(`${isWanted ? "choose" : "forget"} ${key}`);
  };
  const isWanted = (namespace: PodNamespace | undefined): boolean =>
    namespace !== undefined && isPodSelected(selection, namespace.uid, namespace.pod);
  const update = (key: bigint | undefined): void => {
    if (key !== undefined) return choose(key, isWanted(resolver.podNamespace(key)));
    const wanted = new Set<bigint>();
    for (const namespace of resolver.podNamespaces()) if (isWanted(namespace)) wanted.add(namespace.key);
    for (const old of chosen) if (!wanted.has(old)) choose(old, false);
    for (const now of wanted) choose(now, true);
  };
  resolver.onChange?.(update);
  update(undefined);
  return {
    get namespaces() {
      return chosen.size;
    },
  };
}
