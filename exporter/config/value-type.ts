import { type LabelSelector, parseLabelSelector } from "../enrich/parse-label-selector.js";
import type { Workload } from "../enrich/select-pod.js";

/** What a text means: a value, or the rule that it breaks ("must be ..."). */
export type Parsed<Value> = { readonly value: Value } | { readonly rule: string };

/** How an option's value is written. The same for flags, environment variables and the configuration file. */
export interface ValueType<Value> {
  /** Stands for the value in the help, e.g. "DURATION"; empty for a switch. */
  readonly placeholder: string;
  /** What is allowed, for the help; empty when anything is. */
  readonly range: string;
  readonly unit: string;
  parse(text: string): Parsed<Value>;
}

/** On or off: as a flag it stands alone. */
export const switchType: ValueType<boolean> = {
  placeholder: "",
  range: "true or false",
  unit: "",
  parse(text) {
    if (["true", "1", "yes", "on"].includes(text)) return { value: true };
    if (["false", "0", "no", "off"].includes(text)) return { value: false };
    return { rule: "must be true or false" };
  },
};

export function textType(placeholder: string, options: { maxBytes?: number } = {}): ValueType<string> {
  const { maxBytes } = options;
  return {
    placeholder,
    range: maxBytes === undefined ? "" : `at most ${maxBytes} bytes`,
    unit: "",
    parse(text) {
      if (text === "") return { rule: "must not be empty" };
      if (text.includes("\0")) return { rule: "must not contain a zero byte" };
      if (maxBytes !== undefined && Buffer.byteLength(text) > maxBytes)
        return { rule: `must be at most ${maxBytes} bytes long` };
      return { value: text };
    },
  };
}

/** It stands in a selector, where a comma would begin another condition. */
export const nodeNameType: ValueType<string> = {
  placeholder: "NAME",
  range: "a name of Kubernetes: a-z, 0-9, - and .",
  unit: "",
  parse(text) {
    return text.length <= 253 && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text)
      ? { value: text }
      : { rule: "must be the name of a node: at most 253 of a-z, 0-9, - and ." };
  },
};

export function choiceType<const Name extends string>(names: readonly Name[], placeholder: string): ValueType<Name> {
  const rule = `must be one of ${names.join(", ")}`;
  return {
    placeholder,
    range: names.join(", "),
    unit: "",
    parse(text) {
      const value = names.find((name) => name === text);
      return value === undefined ? { rule } : { value };
    },
  };
}

/** Several of a set, separated by commas. */
export function choicesType<const Name extends string>(
  names: readonly Name[],
  placeholder: string,
): ValueType<readonly Name[]> {
  const one = choiceType(names, placeholder);
  return {
    placeholder: `${placeholder}[,${placeholder}]`,
    range: one.range,
    unit: "",
    parse(text) {
      const values: Name[] = [];
      for (const part of text.split(",")) {
        const parsed = one.parse(part.trim());
        if ("rule" in parsed) return { rule: `${parsed.rule}, or several separated by commas` };
        if (!values.includes(parsed.value)) values.push(parsed.value);
      }
      return { value: values };
    },
  };
}

export interface CountLimits {
  readonly min: number;
  readonly max: number;
  readonly powerOfTwo?: boolean;
  readonly placeholder?: string;
  readonly unit?: string;
}

export function countType(limits: CountLimits): ValueType<number> {
  const { min, max, powerOfTwo = false, placeholder = "N", unit = "" } = limits;
  const range = `${powerOfTwo ? "a power of two " : ""}from ${min} to ${max}`;
  return {
    placeholder,
    range,
    unit,
    parse(text) {
      const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
      const fits = value >= min && value <= max && (!powerOfTwo || isPowerOfTwo(value));
      return fits ? { value } : { rule: `must be a whole number, ${range}` };
    },
  };
}

const nanosecondsPer = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 } as const;
type DurationUnit = keyof typeof nanosecondsPer;

/** A time with its unit, such as `5ms`; the value is in `unit`. Limits are texts of the same kind. */
export function durationType(
  unit: "ns" | "ms",
  limits: { readonly min: string; readonly max: string },
): ValueType<number> {
  const range = `from ${limits.min} to ${limits.max}`;
  const minNs = readDurationNs(limits.min) ?? 0;
  const maxNs = readDurationNs(limits.max) ?? 0;
  const rule = `must be a time with its unit (ns, us, ms, s, m, h) such as 100us, 5ms or 10s, ${range}`;
  return {
    placeholder: "TIME",
    range,
    unit: "ns, us, ms, s, m, h",
    parse(text) {
      const ns = readDurationNs(text);
      if (ns === undefined || ns < minNs || ns > maxNs) return { rule };
      return { value: Math.round(ns / nanosecondsPer[unit]) };
    },
  };
}

function readDurationNs(text: string): number | undefined {
  const match = /^([0-9]{1,15}(?:\.[0-9]{1,9})?)(ns|us|µs|ms|s|m|h)$/.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * nanosecondsPer[match[2] as DurationUnit];
}

const bytesPer = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** A size with its unit, such as `8MiB`; the value is in bytes. Limits are texts of the same kind. */
export function sizeType(limits: {
  readonly min: string;
  readonly max: string;
  readonly powerOfTwo?: boolean;
}): ValueType<number> {
  const { powerOfTwo = false } = limits;
  const range = `${powerOfTwo ? "a power of two " : ""}from ${limits.min} to ${limits.max}`;
  const min = readSize(limits.min) ?? 0;
  const max = readSize(limits.max) ?? 0;
  return {
    placeholder: "SIZE",
    range,
    unit: "B, KiB, MiB, GiB",
    parse(text) {
      const value = readSize(text);
      const fits = value !== undefined && value >= min && value <= max && (!powerOfTwo || isPowerOfTwo(value));
      return fits ? { value } : { rule: `must be a size with its unit (B, KiB, MiB, GiB) such as 8MiB, ${range}` };
    },
  };
}

function readSize(text: string): number | undefined {
  const match = /^([0-9]{1,12})(B|KiB|MiB|GiB)$/.exec(text);
  return match ? Number(match[1]) * bytesPer[match[2] as keyof typeof bytesPer] : undefined;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}

/** One in how many; the value is N. */
export const sampleType: ValueType<number> = {
  placeholder: "1/N",
  range: "from 1/1 to 1/4294967295",
  unit: "",
  parse(text) {
    const match = /^1\/([0-9]{1,10})$/.exec(text);
    const value = match ? Number(match[1]) : Number.NaN;
    return value >= 1 && value <= 0xffff_ffff
      ? { value }
      : { rule: "must be 1/N with N from 1 to 4294967295, such as 1/100" };
  },
};

export interface Mark {
  readonly value: number;
  readonly mask: number;
}

/** A packet mark, decimal or hexadecimal, with the bits of it that count. */
export const markType: ValueType<Mark> = {
  placeholder: "VALUE[/MASK]",
  range: "32-bit numbers, decimal or 0x hexadecimal",
  unit: "",
  parse(text) {
    const [value, mask, ...rest] = text.split("/").map(readUnsigned32);
    const isWhole = value !== undefined && rest.length === 0 && (mask !== undefined || !text.includes("/"));
    if (!isWhole || mask === 0)
      return { rule: "must be VALUE or VALUE/MASK, 32-bit numbers such as 0x10/0xff, the mask not 0" };
    if (mask !== undefined && (value & ~mask) !== 0)
      return { rule: "must not have bits in VALUE that MASK leaves out: no packet would match" };
    return { value: { value, mask: mask ?? 0xffff_ffff } };
  },
};

function readUnsigned32(text: string): number | undefined {
  const value = /^(0x[0-9a-fA-F]{1,8}|[0-9]{1,10})$/.test(text) ? Number(text) : Number.NaN;
  return value <= 0xffff_ffff ? value : undefined;
}

/** `drops`, `core`, `all` or `/regex/`. */
export const probesType: ValueType<string> = {
  placeholder: "SET",
  range: "drops, core, all, or /regex/",
  unit: "",
  parse(text) {
    const isSet = ["drops", "core", "all"].includes(text) || /^\/.+\/$/s.test(text);
    return isSet
      ? { value: text }
      : { rule: "must be drops, core, all, or a regular expression between slashes such as /^tcp_/" };
  },
};

/** Names, separated by commas; repeating the flag is not needed. */
export function namesType(placeholder: string, pattern: RegExp, rule: string): ValueType<readonly string[]> {
  return {
    placeholder: `${placeholder}[,${placeholder}]`,
    range: "",
    unit: "",
    parse(text) {
      const names = text.split(",").map((name) => name.trim());
      return names.every((name) => pattern.test(name)) ? { value: names } : { rule };
    },
  };
}

/** `deployment/web`; the short names are those of kubectl. */
export const workloadsType: ValueType<readonly Workload[]> = {
  placeholder: "[KIND/]NAME[,[KIND/]NAME]",
  range: "",
  unit: "",
  parse(text) {
    const workloads: Workload[] = [];
    for (const part of text.split(",")) {
      const match = /^(?:([A-Za-z]{1,63})\/)?([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/.exec(part.trim());
      if (!match?.[2])
        return { rule: "must be NAME or KIND/NAME, or several separated by commas, such as deployment/web" };
      const kind = match[1]?.toLowerCase();
      workloads.push({
        name: match[2],
        ...(kind === undefined ? {} : { kind: shortKinds[kind] ?? kind.replace(/s$/, "") }),
      });
    }
    return { value: workloads };
  },
};

const shortKinds: Readonly<Record<string, string>> = {
  deploy: "deployment",
  rs: "replicaset",
  sts: "statefulset",
  ds: "daemonset",
  cj: "cronjob",
};

export const labelSelectorType: ValueType<LabelSelector> = {
  placeholder: "SELECTOR",
  range: "",
  unit: "",
  parse(text) {
    const selector = parseLabelSelector(text);
    return selector
      ? { value: selector }
      : { rule: "must be a label selector as for kubectl, such as app=web,env in (test,live),!draft" };
  },
};

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export const listenType: ValueType<ListenAddress> = {
  placeholder: "HOST:PORT",
  range: "a port from 0 (any free one) to 65535",
  unit: "",
  parse(text) {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):([0-9]{1,5})$/.exec(text);
    const port = match ? Number(match[3]) : Number.NaN;
    const host = match?.[1] ?? match?.[2];
    if (host === undefined || !(port <= 65535))
      return { rule: "must be HOST:PORT, such as 127.0.0.1:9464 or [::1]:9464, the port at most 65535" };
    return { value: { host, port } };
  },
};
