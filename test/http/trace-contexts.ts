import fc from "fast-check";

const hex = (length: number) =>
  fc.array(fc.constantFrom(..."0123456789abcdef"), { minLength: length, maxLength: length }).map((all) => all.join(""));

/** A value of traceparent and what a receiver has of it. */
export interface TraceHeader {
  readonly value: string;
  readonly trace: string | undefined;
}

/** By the standard, said once more: the parser is compared with it. */
export function readTraceparent(value: string): string | undefined {
  const match = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(value);
  if (match === null || (match[1] === "00" && match[5] !== undefined)) return undefined;
  return `${match[2]}-${match[3]}-${match[4]}`;
}

const fresh = fc.tuple(hex(32), hex(16), hex(2)).map(([trace, span, flags]) => `00-${trace}-${span}-${flags}`);

const anyValue = fc.oneof(
  { arbitrary: fresh, weight: 12 },
  { arbitrary: fresh.map((value) => value.replace(/^00/, "01")), weight: 1 },
  { arbitrary: fresh.map((value) => `${value.replace(/^00/, "cc")}-more`), weight: 1 },
  { arbitrary: fresh.map((value) => value.replace(/^00/, "ff")), weight: 1 },
  { arbitrary: fresh.map((value) => value.toUpperCase()), weight: 1 },
  { arbitrary: fresh.map((value) => value.slice(0, 54)), weight: 1 },
  { arbitrary: fresh.map((value) => `${value}0`), weight: 1 },
  { arbitrary: fresh.map((value) => value.replace(/-[0-9a-f]{32}-/, `-${"0".repeat(32)}-`)), weight: 1 },
);

export const traceHeader: fc.Arbitrary<TraceHeader> = anyValue.map((value) => ({
  value,
  trace: readTraceparent(value),
}));
