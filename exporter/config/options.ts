import type { CommandName } from "./command-name.js";
import { defineOption, type Option } from "./option.js";
import {
  choicesType,
  choiceType,
  countType,
  durationType,
  type ListenAddress,
  listenType,
  type Mark,
  markType,
  probesType,
  sampleType,
  sizeType,
  switchType,
  textType,
} from "./value-type.js";

export const backendChoices = ["auto", "kprobe.session", "kprobe.multi", "kprobe", "tracepoint"] as const;
export type BackendChoice = (typeof backendChoices)[number];

export const exportNames = ["otlp", "console", "json"] as const;
export type ExportName = (typeof exportNames)[number];

export const detailNames = ["functions", "layers", "summary"] as const;
export type Detail = (typeof detailNames)[number];

export const colourNames = ["auto", "always", "never"] as const;
export type ColourChoice = (typeof colourNames)[number];

const tracing = ["trace", "drops", "run", "record"] as const satisfies readonly CommandName[];
const showing = ["trace", "drops", "run", "replay"] as const satisfies readonly CommandName[];
const MAX_UNSIGNED_32 = 4294967295;

/**
 * Every option, once. Flags, SKBSPAN_* variables, the configuration file, their checks, `--help` and docs/options.md
 * come from these rows. The key is the option's name in Config and carries the unit of the value.
 */
export const options = {
  filter: defineOption<string | undefined>({
    flag: "filter",
    group: "packets",
    type: textType("FILTER"),
    default: undefined,
    defaultText: "every packet",
    help: "Which packets: a pcap filter expression, as for tcpdump. It may stand without its flag.",
    commands: tracing,
    example: "tcp port 80 and host 10.0.0.2",
    isPositional: true,
    isForKernel: true,
  }),
  netns: defineOption<string | undefined>({
    flag: "netns",
    group: "packets",
    type: textType("NETNS"),
    default: undefined,
    defaultText: "any",
    help: "Only packets first seen in this network namespace: a name of `ip netns`, a path, an inode, or pid:PID.",
    commands: tracing,
    example: "pid:4711",
    isForKernel: true,
  }),
  interface: defineOption<string | undefined>({
    flag: "interface",
    short: "i",
    group: "packets",
    type: textType("NAME", { maxBytes: 15 }),
    default: undefined,
    defaultText: "any",
    help: "Only packets first seen on the interface of this name.",
    commands: tracing,
    example: "eth0",
    isForKernel: true,
  }),
  mark: defineOption<Mark | undefined>({
    flag: "mark",
    group: "packets",
    type: markType,
    default: undefined,
    defaultText: "any",
    help: "Only packets with this mark, in the bits of the mask.",
    commands: tracing,
    example: "0x10/0xff",
    isForKernel: true,
  }),
  sampleOneIn: defineOption<number>({
    flag: "sample",
    group: "packets",
    type: sampleType,
    default: 1,
    defaultText: "1/1",
    help: "Follow one in N of the packets that match, chosen at first sight.",
    commands: tracing,
    example: "1/100",
    isForKernel: true,
  }),
  ratePerSecond: defineOption<number | undefined>({
    flag: "rate",
    group: "packets",
    type: countType({ min: 1, max: MAX_UNSIGNED_32, unit: "journeys a second" }),
    default: undefined,
    defaultText: "no limit",
    help: "Begin at most so many journeys a second; decided in the kernel, before they cost anything.",
    commands: tracing,
    example: "50",
    isForKernel: true,
  }),
  minDurationNs: defineOption<number | undefined>({
    flag: "min-duration",
    group: "packets",
    type: durationType("ns", { min: "1ns", max: "1h" }),
    default: undefined,
    defaultText: "any",
    help: "Only journeys that took at least so long.",
    commands: [...tracing, "replay"],
    example: "5ms",
  }),
  isDroppedOnly: defineOption<boolean>({
    flag: "dropped-only",
    group: "packets",
    type: switchType,
    default: false,
    defaultFor: { drops: true },
    defaultText: "false",
    help: "Only journeys whose packet was dropped. Always so with `drops`.",
    commands: ["trace", "run", "record", "replay"],
    example: "true",
  }),
  maxJourneys: defineOption<number | undefined>({
    flag: "journeys",
    short: "n",
    group: "packets",
    type: countType({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    default: undefined,
    defaultText: "no limit",
    help: "End after so many journeys.",
    commands: ["trace", "drops", "record", "replay"],
    example: "10",
  }),
  durationMs: defineOption<number | undefined>({
    flag: "for",
    group: "packets",
    type: durationType("ms", { min: "1ms", max: "24h" }),
    default: undefined,
    defaultText: "until Ctrl-C",
    help: "End after so long.",
    commands: ["trace", "drops", "record"],
    example: "10s",
    isForKernel: true,
  }),
  recording: defineOption<string | undefined>({
    flag: "from",
    group: "packets",
    type: textType("FILE"),
    default: undefined,
    defaultText: "the kernel of this machine",
    help: "Read a recording of `skbspan record` in place of the kernel: needs no rights. `-` is standard input.",
    commands: ["trace", "drops", "run", "functions"],
    example: "http.skbspan",
  }),
  probes: defineOption<string>({
    flag: "probes",
    group: "tracing",
    type: probesType,
    default: "core",
    defaultFor: { drops: "drops" },
    defaultText: "core; with `drops`: drops",
    help: "Which kernel functions: the drop tracepoint alone, those that tell a packet's path, all that take an sk_buff, or those whose name matches.",
    commands: [...tracing, "functions"],
    example: "/^(ip|tcp)_/",
    isForKernel: true,
  }),
  backend: defineOption<BackendChoice>({
    flag: "backend",
    group: "tracing",
    type: choiceType(backendChoices, "NAME"),
    default: "auto",
    defaultText: "auto: the best that works here",
    help: "How probes are attached. One that cannot work says why.",
    commands: tracing,
    example: "kprobe.multi",
    isForKernel: true,
  }),
  slots: defineOption<number>({
    flag: "slots",
    group: "tracing",
    type: countType({ min: 64, max: 32768, powerOfTwo: true, unit: "journeys" }),
    default: 4096,
    defaultText: "4096",
    help: "How many journeys can be under way at once; each takes 8 KiB of kernel memory.",
    commands: tracing,
    example: "16384",
    isForKernel: true,
  }),
  ringBytes: defineOption<number>({
    flag: "ring-size",
    group: "tracing",
    type: sizeType({ min: "64KiB", max: "1GiB", powerOfTwo: true }),
    default: 8 * 1024 * 1024,
    defaultText: "8MiB",
    help: "The ring buffer from the kernel; a larger one loses less in a burst.",
    commands: tracing,
    example: "32MiB",
    isForKernel: true,
  }),
  expireMs: defineOption<number>({
    flag: "expire",
    group: "tracing",
    type: durationType("ms", { min: "100ms", max: "1h" }),
    default: 10_000,
    defaultText: "10s",
    help: "A journey with no news for so long ends as expired, with its last place named.",
    commands: tracing,
    example: "30s",
    isForKernel: true,
  }),
  exports: defineOption<readonly ExportName[]>({
    flag: "export",
    group: "output",
    type: choicesType(exportNames, "KIND"),
    default: ["console"],
    defaultFor: { run: ["otlp"] },
    defaultText: "console; with `run`: otlp",
    help: "Where journeys go: a tree each on standard output, OTLP/gRPC (the OTEL_EXPORTER_OTLP_* variables say where), or a line of OTLP/JSON each on standard output.",
    commands: showing,
    example: "otlp",
  }),
  detail: defineOption<Detail>({
    flag: "detail",
    group: "output",
    type: choiceType(detailNames, "DETAIL"),
    default: "functions",
    defaultText: "functions",
    help: "A span for each function, for each layer of the network stack, or for the journey alone.",
    commands: showing,
    example: "layers",
  }),
  colour: defineOption<ColourChoice>({
    flag: "colour",
    group: "output",
    type: choiceType(colourNames, "WHEN"),
    default: "auto",
    defaultText: "auto: on a terminal, unless NO_COLOR is set",
    help: "Colours on standard output.",
    commands: ["trace", "drops", "replay", "functions", "doctor"],
    example: "never",
  }),
  isQuiet: defineOption<boolean>({
    flag: "quiet",
    short: "q",
    group: "output",
    type: switchType,
    default: false,
    defaultText: "false",
    help: "No live count and no summary on standard error; errors and losses are still told.",
    commands: ["trace", "drops", "record", "replay"],
    example: "true",
  }),
  maxBufferBytes: defineOption<number>({
    flag: "max-buffer",
    group: "output",
    type: sizeType({ min: "1MiB", max: "1GiB" }),
    default: 32 * 1024 * 1024,
    defaultText: "32MiB",
    help: "Keep at most so much for an OTLP collector that is slow or away; then the least interesting journeys are given up, and counted.",
    commands: showing,
    example: "64MiB",
  }),
  flushTimeoutMs: defineOption<number>({
    flag: "flush-timeout",
    group: "output",
    type: durationType("ms", { min: "0ms", max: "10m" }),
    default: 5_000,
    defaultText: "5s",
    help: "At the end, wait at most so long for the collector to take what is left.",
    commands: showing,
    example: "1s",
  }),
  isJson: defineOption<boolean>({
    flag: "json",
    group: "output",
    type: switchType,
    default: false,
    defaultText: "false",
    help: "A JSON object a line in place of text.",
    commands: ["functions", "doctor"],
    example: "true",
    isFlagOnly: true,
  }),
  isForced: defineOption<boolean>({
    flag: "force",
    group: "output",
    type: switchType,
    default: false,
    defaultText: "false",
    help: "Write over a file that exists.",
    commands: ["record"],
    example: "true",
    isFlagOnly: true,
  }),
  listen: defineOption<ListenAddress>({
    flag: "listen",
    group: "agent",
    type: listenType,
    default: { host: "127.0.0.1", port: 9464 },
    defaultText: "127.0.0.1:9464",
    help: "Where /healthz, /readyz and /metrics are served.",
    commands: ["run"],
    example: "0.0.0.0:9464",
  }),
  unreadyAfterMs: defineOption<number>({
    flag: "unready-after",
    group: "agent",
    type: durationType("ms", { min: "1s", max: "1h" }),
    default: 30_000,
    defaultText: "30s",
    help: "/readyz says no when exporting has failed for so long.",
    commands: ["run"],
    example: "2m",
  }),
} as const;

export type OptionKey = keyof typeof options;
type ValueOf<Row> = Row extends Option<infer Value> ? Value : never;

/** What the user wants, checked. Options that the command does not have, have their defaults. */
export type Config = { readonly [Key in OptionKey]: ValueOf<(typeof options)[Key]> };

/** The rows with their keys, without the types of their values. */
export const optionRows: readonly (readonly [OptionKey, Option<unknown>])[] = Object.entries(options) as never;

export function optionsOf(command: CommandName): readonly (readonly [OptionKey, Option<unknown>])[] {
  return optionRows.filter(([, option]) => option.commands.includes(command));
}
