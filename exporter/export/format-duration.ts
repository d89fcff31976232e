/** Three digits and a unit: "312 ns", "4.10 µs", "12.3 ms", "1.20 s". */
export function formatDuration(durationNs: number): string {
  if (durationNs < 1000) return `${Math.round(durationNs)} ns`;
  if (durationNs < 999_500) return `${threeDigits(durationNs / 1e3)} µs`;
  if (durationNs < 999_500_000) return `${threeDigits(durationNs / 1e6)} ms`;
  return `${threeDigits(durationNs / 1e9)} s`;
}

function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  return value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}
