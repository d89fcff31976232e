const FIRST_WORDS = 128;
const BLOCK_WORDS = 4;

/**
 * MurmurHash3's 128 bits for 32-bit processors, over whole words. Not against an adversary: it spreads what differs, and
 * takes a tenth of the time of a cryptographic hash over the same as text. One object serves for all hashes, one after another.
 */
export class WordHash {
  private words = new Int32Array(FIRST_WORDS);
  private count = 0;

  /** The low 32 bits of an integer. */
  add(value: number): void {
    if (this.count === this.words.length) this.grow();
    this.words[this.count++] = value;
  }

  addText(text: string): void {
    this.add(text.length);
    for (let index = 0; index < text.length; index++) this.add(text.charCodeAt(index));
  }

  /** The hash of all that was added, in 16 bytes; the object is empty again. */
  finish(): Uint8Array {
    const length = this.count * 4;
    while (this.count % BLOCK_WORDS !== 0) this.add(0);
    const hash = hashBlocks(this.words, this.count, length);
    this.count = 0;
    return hash;
  }

  private grow(): void {
    const larger = new Int32Array(2 * this.words.length);
    larger.set(this.words);
    this.words = larger;
  }
}

function hashBlocks(words: Int32Array, count: number, length: number): Uint8Array {
  let [h1, h2, h3, h4] = [0, 0, 0, 0];
  for (let at = 0; at < count; at += BLOCK_WORDS) {
    h1 ^= scramble(words[at] as number, 0x239b961b, 15, 0xab0e9789);
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= scramble(words[at + 1] as number, 0xab0e9789, 16, 0x38b34ae5);
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= scramble(words[at + 2] as number, 0x38b34ae5, 17, 0xa1e38b93);
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= scramble(words[at + 3] as number, 0xa1e38b93, 18, 0x239b961b);
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  return finalise(h1 ^ length, h2 ^ length, h3 ^ length, h4 ^ length);
}

function finalise(a: number, b: number, c: number, d: number): Uint8Array {
  const first = (a + b + c + d) | 0;
  const [h1, h2, h3, h4] = [avalanche(first), avalanche(b + first), avalanche(c + first), avalanche(d + first)];
  const sum = (h1 + h2 + h3 + h4) | 0;
  const hash = new Uint8Array(16);
  const view = new DataView(hash.buffer);
  view.setInt32(0, sum);
  view.setInt32(4, h2 + sum);
  view.setInt32(8, h3 + sum);
  view.setInt32(12, h4 + sum);
  return hash;
}

function scramble(word: number, before: number, bits: number, after: number): number {
  return Math.imul(rotate(Math.imul(word, before), bits), after);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function avalanche(sum: number): number {
  let word = sum | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
