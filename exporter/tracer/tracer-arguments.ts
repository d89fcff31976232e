import { isDeepStrictEqual } from "node:util";
import { type Config, options } from "../config/options.js";
import { readPodSelection } from "../config/read-pod-selection.js";
import { selectsAll } from "../enrich/select-pod.js";

/** The options of `skbspan-tracer trace` for what the user wants. */
export function tracerArguments(config: Config): string[] {
  const { mark, filter, netns, interface: interfaceName } = config;
  const argument = (flag: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [flag, String(value)];
  return [
    ...argument("--probes", config.probes),
    ...argument("--backend", config.backend),
    ...argument("--filter", filter),
    ...argument("--netns", netns),
    ...(selectsAll(readPodSelection(config)) ? [] : ["--chosen-namespaces"]),
    ...argument("--interface", interfaceName),
    ...argument("--mark", mark && `0x${mark.value.toString(16)}/0x${mark.mask.toString(16)}`),
    ...argument("--sample", config.sampleOneIn),
    ...argument("--rate", config.ratePerSecond),
    ...argument("--min-duration-ns", config.minDurationNs),
    ...(config.areDropsKept ? ["--keep-drops"] : []),
    ...(config.isDroppedOnly ? ["--dropped-only"] : []),
    ...joinArguments(config),
    ...argument("--slots", config.slots),
    ...argument("--ring-bytes", config.ringBytes),
    ...argument("--expire-ms", config.expireMs),
    ...argument("--journeys", config.maxJourneys),
    ...argument("--duration-ms", config.durationMs),
  ];
}

/** Nothing where the tracer's own defaults are wanted. */
function joinArguments({ join, joinSources, isSampledOnly, joinForMs, tlsLibraries }: Config): string[] {
  const isDefault = isDeepStrictEqual(joinSources, options.joinSources.default);
  return [
    ...(join === "off" ? ["--join-sources", "off"] : isDefault ? [] : ["--join-sources", joinSources.join(",")]),
    ...(isSampledOnly ? ["--sampled-only", "--join-for-ms", String(joinForMs)] : []),
    ...(tlsLibraries === undefined ? [] : ["--tls-libraries", tlsLibraries]),
  ];
}
