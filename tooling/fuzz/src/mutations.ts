/** Numbers from 0 to `high - 1`, the same for the same seed: mulberry32, as quick as the mutations it draws. */
function drawer(seed: string): (high: number) => number {
  let state = 0x811c9dc5;
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) as number), 0x01000193);
  return (high) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * high);
  };
}

type Draw = (high: number) => number;

/** Sizes that readers trip over. */
const COUNTS = [0n, 1n, 255n, 256n, 65535n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 1n << 53n, (1n << 63n) - 1n, -1n];

/** Words that readers of text, and look-ups by name, trip over. */
const WORDS = [
  ..."0 -0 -1 1.5 2147483647 2147483648 4294967295 999999999999 9007199254740993 1e9 1e308 1e309 -1e309".split(" "),
  ..."NaN nan inf -Infinity 0x10 1e 1.2.3 - + . constructor __proto__ toString null true".split(" "),
  ...['"', "'", ",", ":", ";", "\t", " ", "\n", "\r", "\0", "[", "]", "{", "}", "(", ")", "#", "%", "\u00e9", "\ufeff"],
];

/** Changes bytes in place or gives other bytes. */
type Mutation = (bytes: Uint8Array, at: number, draw: Draw) => Uint8Array;

const flipBit: Mutation = (bytes, at, draw) => {
  bytes[at] ^= 1 << draw(8);
  return bytes;
};

const setByte: Mutation = (bytes, at, draw) => {
  bytes[at] = [0, 1, 9, 10, 32, 48, 57, 127, 128, 255, draw(256)][draw(11)];
  return bytes;
};

const setCount: Mutation = (bytes, at, draw) => {
  const width = [2, 4, 8][draw(3)];
  const value = COUNTS[draw(COUNTS.length)] + BigInt(draw(3) - 1);
  const little = draw(2) === 0;
  for (let k = 0; k < width && at + k < bytes.length; k++) {
    bytes[at + k] = Number((value >> BigInt(8 * (little ? k : width - 1 - k))) & 255n);
  }
  return bytes;
};

const removeSome: Mutation = (bytes, at, draw) => splice(bytes, at, 1 + draw(8), []);

const insertSome: Mutation = (bytes, at, draw) =>
  splice(
    bytes,
    at,
    0,
    Array.from({ length: 1 + draw(4) }, () => draw(256)),
  );

const repeatSome: Mutation = (bytes, at, draw) => {
  const piece = [...bytes.subarray(at, at + 1 + draw(64))];
  return splice(bytes, at, 0, Array.from({ length: 1 + draw(8) }, () => piece).flat());
};

const moveSome: Mutation = (bytes, at, draw) => {
  bytes.copyWithin(draw(bytes.length), at, at + 1 + draw(32));
  return bytes;
};

const cutOff: Mutation = (bytes, at) => bytes.slice(0, at);

const setWord: Mutation = (bytes, at, draw) => {
  const word = new TextEncoder().encode(WORDS[draw(WORDS.length)]);
  const isWord = (byte: number) => byte > 32 && byte !== 44 && byte !== 58;
  let end = at;
  while (end < bytes.length && end - at < 40 && isWord(bytes[end])) end++;
  return splice(bytes, at, end - at, [...word]);
};

const mutationKinds = [flipBit, setByte, setCount, removeSome, insertSome, repeatSome, moveSome, cutOff, setWord];

function splice(bytes: Uint8Array, at: number, removed: number, inserted: readonly number[]): Uint8Array {
  const end = Math.min(bytes.length, at + removed);
  const out = new Uint8Array(at + inserted.length + bytes.length - end);
  out.set(bytes.subarray(0, at));
  out.set(inserted, at);
  out.set(bytes.subarray(end), at + inserted.length);
  return out;
}

/**
 * Damaged copies of a file: one to four changes each, half of them in its first 150 bytes, where headers are. The same
 * seed gives the same copies, of which the first are those of a shorter run.
 */
export function* mutations(file: Uint8Array, seed: string, count: number): Generator<Uint8Array> {
  const draw = drawer(seed);
  for (let run = 0; run < count; run++) {
    let bytes: Uint8Array = file.slice();
    for (let k = draw(4); k >= 0; k--) {
      const near = draw(2) === 0 ? Math.min(bytes.length, 150) : bytes.length;
      const mutate = mutationKinds[draw(mutationKinds.length)];
      bytes = mutate(bytes, draw(near), draw);
    }
    yield bytes;
  }
}
