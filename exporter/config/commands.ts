export const commandNames = [
  "trace",
  "drops",
  "run",
  "record",
  "replay",
  "functions",
  "doctor",
  "demo",
  "page",
] as const;

export type CommandName = (typeof commandNames)[number];

export interface Command {
  readonly name: CommandName;
  readonly summary: string;
  /** What the command does beyond its summary, for its help. */
  readonly description: string;
  /** Arguments without a flag, in their order, before the filter. */
  readonly operands: readonly Operand[];
  /** What remains of the arguments is a filter expression. */
  readonly takesFilter: boolean;
  readonly examples: readonly string[];
}

export interface Operand {
  readonly name: string;
  readonly isRequired: boolean;
  readonly help: string;
}

const recordingFile: Operand = {
  name: "FILE",
  isRequired: true,
  help: "The recording; `-` stands for standard input or output.",
};

export const commands: readonly Command[] = [
  {
    name: "trace",
    summary: "Show the journeys of packets through the kernel, live",
    description:
      "Follows packets that match FILTER and shows each one's journey when it ends: the functions it went through, how long it was in them, where it waited, and how it ended.",
    operands: [],
    takesFilter: true,
    examples: [
      "skbspan trace -n 3 tcp port 80",
      "skbspan trace --for 10s --export otlp host 10.0.0.2",
      "skbspan trace --netns pid:4711 --min-duration 5ms",
    ],
  },
  {
    name: "drops",
    summary: "Show dropped packets with the reason and the place, live",
    description:
      "The cheapest way to watch: only the kernel's drop tracepoint is attached, unless --probes says otherwise.",
    operands: [],
    takesFilter: true,
    examples: ["skbspan drops", "skbspan drops --probes core udp port 53"],
  },
  {
    name: "run",
    summary: "Run as an agent: trace all the time, export over OTLP, serve health and metrics",
    description:
      "Everything can stand in the configuration file; SIGTERM ends it cleanly. The collector is found by the OTEL_EXPORTER_OTLP_* variables.",
    operands: [],
    takesFilter: false,
    examples: ["skbspan run --config /etc/skbspan.yaml", "skbspan run --dropped-only --listen 0.0.0.0:9464"],
  },
  {
    name: "record",
    summary: "Write what the kernel tells to a file, to be read later on any machine",
    description: "The file is a recording: `replay`, and every command with --from, reads it in place of a kernel.",
    operands: [recordingFile],
    takesFilter: true,
    examples: ["skbspan record http.skbspan --for 10s tcp port 80", "skbspan record - | gzip > all.skbspan.gz"],
  },
  {
    name: "replay",
    summary: "Show or export the journeys of a recording",
    description: "Needs no rights and no kernel: what comes out depends on the recording alone.",
    operands: [recordingFile],
    takesFilter: false,
    examples: ["skbspan replay http.skbspan", "skbspan replay http.skbspan --export json | head -1"],
  },
  {
    name: "functions",
    summary: "List the kernel functions that handle packets, and why one cannot be attached",
    description:
      "PATTERN is looked for in the name: a regular expression. The list is this kernel's, or that of a recording with --from.",
    operands: [
      { name: "PATTERN", isRequired: false, help: "A regular expression that the name has to match somewhere." },
    ],
    takesFilter: false,
    examples: ["skbspan functions '^ip_'", "skbspan functions --probes all --json"],
  },
  {
    name: "doctor",
    summary: "Say what this kernel and these rights allow, and what to do about the rest",
    description: "A line for each check: yes, no or unknown, the reason, and the mend. Works without rights too.",
    operands: [],
    takesFilter: false,
    examples: ["skbspan doctor", "sudo skbspan doctor --json"],
  },
  {
    name: "demo",
    summary: "Trace a small network of namespaces on this machine and look at it on a page",
    description:
      "Makes two pods and a node out of network namespaces, lets them talk, drops one port in a firewall, traces it all and serves a page. Cleans up at the end.",
    operands: [],
    takesFilter: false,
    examples: ["skbspan demo", "skbspan demo --check"],
  },
  {
    name: "page",
    summary: "Look at the journeys that a Jaeger holds, on the page of the demo",
    description:
      "Reads the newest traces of all of its services over its query API, and any other by its id, and serves the page on this machine.",
    operands: [],
    takesFilter: false,
    examples: [
      "skbspan page --jaeger http://127.0.0.1:16686",
      "skbspan page --jaeger https://jaeger.example --lookback 24h",
    ],
  },
];

export function findCommand(name: string): Command | undefined {
  return commands.find((command) => command.name === name);
}
