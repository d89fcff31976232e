import type { EndpointView } from "../../store/api-types.js";

/** Three significant digits and a unit that a person reads at once: `840 ns`, `51.0 µs`, `1.20 s`. */
export function formatDuration(ns: number): string {
  if (ns < 1000) return `${Math.round(ns)} ns`;
  for (const [unit, size] of UNITS) {
    if (ns >= size * 0.9995) return `${toThreeDigits(ns / size)} ${unit}`;
  }
  return `${toThreeDigits(ns / 1000)} µs`;
}

const UNITS = [
  ["s", 1e9],
  ["ms", 1e6],
  ["µs", 1e3],
] as const;

function toThreeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** Wall clock in the reader's time zone, to the millisecond. */
export function formatClock(unixNs: string): string {
  const date = new Date(Number(BigInt(unixNs) / 1_000_000n));
  const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");
  return `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}.${pad(date.getMilliseconds(), 3)}`;
}

export function formatDate(unixNs: string): string {
  return new Date(Number(BigInt(unixNs) / 1_000_000n)).toLocaleString();
}

export function formatEndpoint(endpoint: EndpointView | undefined): string {
  if (endpoint === undefined) return "";
  const { address, port } = endpoint;
  if (port === undefined) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
