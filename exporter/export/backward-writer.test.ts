import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import protobuf from "protobufjs";
import { BackwardWriter } from "./backward-writer.js";

const { Reader } = protobuf;

describe("BackwardWriter", () => {
  it("writes integers that a protobuf reader reads", () => {
    const writer = new BackwardWriter();
    const integers = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 300 }));
    fc.assert(
      fc.property(integers, (value) => {
        writer.varint(value);
        assert.equal(String(Reader.create(writer.take()).int64()), String(value));
      }),
    );
  });

  it("writes any text, also longer than its memory, in front of what was there", () => {
    const writer = new BackwardWriter();
    const texts = fc.oneof(fc.string({ unit: "binary" }), fc.string({ minLength: 3000, maxLength: 6000 }));
    fc.assert(
      fc.property(texts, texts, (first, second) => {
        for (const text of [second, first]) {
          const end = writer.mark;
          writer.text(text);
          writer.head(0x0a, end);
        }
        const reader = Reader.create(writer.take());
        for (const text of [first, second]) {
          assert.equal(reader.uint32(), 0x0a);
          assert.equal(reader.string(), text);
        }
      }),
    );
  });

  it("is empty after its message was taken", () => {
    const writer = new BackwardWriter();
    writer.text("first");
    writer.take();
    writer.text("second");
    assert.deepEqual(Buffer.from(writer.take()).toString(), "second");
  });
});
