import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cutValue, MAX_VALUE_BYTES } from "./cut-value.js";

function bytesOf(value: string | readonly string[]): number {
  return (typeof value === "string" ? [value] : value).reduce((total, text) => total + Buffer.byteLength(text), 0);
}

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 900 }),
  fc.array(fc.string({ unit: "grapheme", maxLength: 60 }), { maxLength: 120 }).map((lines) => lines.join("\n")),
);

test("any text is within the limit, and what is kept of it is its beginning", () => {
  fc.assert(
    fc.property(text, (value) => {
      const cut = cutValue(value) as string;
      assert.ok(bytesOf(cut) <= MAX_VALUE_BYTES);
      if (bytesOf(value) <= MAX_VALUE_BYTES) assert.equal(cut, value);
      else assert.ok(value.startsWith(cut.slice(0, -1)) && cut.endsWith("…"));
    }),
  );
});

test("any list is within the limit, and what is kept of it is its beginning", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 120 }), { maxLength: 60 }), (value) => {
      const cut = cutValue(value) as readonly string[];
      assert.ok(bytesOf(cut) <= MAX_VALUE_BYTES);
      if (bytesOf(value) <= MAX_VALUE_BYTES) assert.equal(cut, value);
      else assert.deepEqual(cut.slice(0, -1), value.slice(0, cut.length - 1));
    }),
  );
});

test("a stack is cut after a whole line", () => {
  const line = "a_kernel_function_with_a_long_name+0x123";
  const cut = cutValue(Array.from({ length: 100 }, () => line).join("\n")) as string;
  assert.deepEqual([...new Set(cut.split("\n"))], [line, "…"]);
  assert.ok(bytesOf(cut) > MAX_VALUE_BYTES - line.length - 5);
});

test("numbers and booleans are as they were", () => {
  assert.equal(cutValue(7), 7);
  assert.equal(cutValue(true), true);
});
