/** Tempo cuts a longer value (`max_attribute_bytes`), and in the middle of a character if need be: so that is done here. */
export const MAX_VALUE_BYTES = 2048;

const CUT = "…";
const CUT_BYTES = Buffer.byteLength(CUT);
/** A character has at most three bytes for each of its UTF-16 units. */
const SURELY_SHORT = Math.floor(MAX_VALUE_BYTES / 3);

type Value = string | number | boolean | readonly string[];

/** The value of an attribute, within the limit: a text up to a whole line or character, a list as far as it fits. */
export function cutValue(value: Value): Value {
  if (typeof value === "string") return cutText(value);
  return typeof value === "object" ? cutList(value) : value;
}

function cutText(text: string): string {
  if (text.length <= SURELY_SHORT || Buffer.byteLength(text) <= MAX_VALUE_BYTES) return text;
  const room = MAX_VALUE_BYTES - CUT_BYTES;
  // A character that is cut in two decodes to one replacement character or more, which is not a part of the text.
  const kept = Buffer.from(text).subarray(0, room).toString().replace(/�+$/, "");
  const lineEnd = kept.lastIndexOf("\n");
  return `${lineEnd > 0 ? kept.slice(0, lineEnd + 1) : kept}${CUT}`;
}

function cutList(list: readonly string[]): readonly string[] {
  let bytes = 0;
  for (const [index, item] of list.entries()) {
    bytes += Buffer.byteLength(item);
    if (bytes <= MAX_VALUE_BYTES) continue;
    return [...keepRoom(list.slice(0, index)), CUT];
  }
  return list;
}

function keepRoom(list: readonly string[]): readonly string[] {
  const bytes = list.reduce((total, item) => total + Buffer.byteLength(item), 0);
  return bytes + CUT_BYTES <= MAX_VALUE_BYTES ? list : list.slice(0, -1);
}
