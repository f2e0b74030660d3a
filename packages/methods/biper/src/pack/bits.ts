import {
  asTensor,
  checkOptions,
  requireInteger,
  requireObject,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** Weights of one bit each: bit c of a word is set where the weight of that channel is +1. */
export interface PackedWeights {
  /** `[outputs, channels per group, height, width]` of what was packed. */
  readonly shape: readonly [number, number, number, number];
  /** `[outputs, height, width, ceil(channels / 32)]`, row-major; bits past the last channel are 0. */
  readonly words: Uint32Array;
}

/** Signs of activations, one bit each. */
export interface PackedActivations {
  /** `[batch, channels, height, width]` of what was packed. */
  readonly shape: readonly [number, number, number, number];
  /** Parts of the channels, each of which starts with a word of its own. */
  readonly groups: number;
  /** `[batch, height, width, groups, ceil(channels / groups / 32)]`, row-major; bits past the last channel are 0. */
  readonly words: Uint32Array;
}

/** Words that so many channels take. */
export function wordsFor(channels: number): number {
  return (channels + 31) >>> 5;
}

/** Number of set bits of a 32-bit word. */
export function popcount32(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function checked(owner: string, name: string, x: TensorLike): { t: Tensor; shape: [number, number, number, number] } {
  const t = asTensor(x);
  if (t.rank !== 2 && t.rank !== 4) {
    throw new ShapeError(`${owner}: ${name} has shape [${t.shape}]; it must have four axes, or two`);
  }
  if (t.size === 0) throw new ShapeError(`${owner}: ${name} of shape [${t.shape}] is empty`);
  const data = t.data();
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i])) {
      throw new ValueError(`${owner}: ${name} has NaN at position ${i}, which has no sign; train or load it again`);
    }
  }
  return { t, shape: [t.shape[0], t.shape[1], t.shape[2] ?? 1, t.shape[3] ?? 1] };
}

/** Signs of `x[batch, channels, pixels]` as words `[batch, pixels, groups, words]`. */
function packAlongChannels(x: ArrayLike<number>, batch: number, channels: number, pixels: number, groups: number) {
  const perGroup = channels / groups;
  const words = wordsFor(perGroup);
  const out = new Uint32Array(batch * pixels * groups * words);
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      const within = c % perGroup;
      const word = Math.floor(c / perGroup) * words + (within >>> 5);
      const bit = 1 << (within & 31);
      const from = (n * channels + c) * pixels;
      const to = n * pixels * groups * words + word;
      for (let p = 0; p < pixels; p++) if (x[from + p] >= 0) out[to + p * groups * words] |= bit;
    }
  }
  return out;
}

/**
 * The signs of weights, 32 to a word; zero counts as +1.
 * @param w `[outputs, channels, height, width]`, or `[outputs, channels]`; the sign is stored, so give
 * `sin(omega w)` for latent weights of a square wave
 * @throws ValueError for NaN; ShapeError for other shapes.
 */
export function packWeights(w: TensorLike): PackedWeights {
  const { t, shape } = checked("packWeights", "w", w);
  const [outputs, channels, height, width] = shape;
  return { shape, words: packAlongChannels(t.data(), outputs, channels, height * width, 1) };
}

/**
 * The signs of activations, 32 to a word; zero counts as +1.
 * @param a `[batch, channels, height, width]`, or `[batch, channels]`
 * @param options.groups of the convolution that will use them. Default 1.
 * @throws ValueError for NaN and for groups that do not divide the channels; ShapeError for other shapes.
 */
export function packActivations(a: TensorLike, options: { groups?: number } = {}): PackedActivations {
  checkOptions("packActivations", options, ["groups"]);
  const { groups = 1 } = options;
  const { t, shape } = checked("packActivations", "a", a);
  const [batch, channels, height, width] = shape;
  requireGroups("packActivations", groups, channels);
  return { shape, groups, words: packAlongChannels(t.data(), batch, channels, height * width, groups) };
}

/** Throws unless `groups` divides the channels. */
export function requireGroups(owner: string, groups: number, channels: number): void {
  requireInteger(owner, "groups", groups, 1);
  if (channels % groups !== 0) {
    throw new ValueError(`${owner}: groups is ${groups}; it must divide the ${channels} channels`);
  }
}

/** -1 and +1, row-major in the shape of what was packed. */
function unpackAlongChannels(words: Uint32Array, batch: number, channels: number, pixels: number, groups: number) {
  const perGroup = channels / groups;
  const count = wordsFor(perGroup);
  const out = new Float32Array(batch * channels * pixels);
  for (let n = 0, i = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      const within = c % perGroup;
      const word = Math.floor(c / perGroup) * count + (within >>> 5);
      for (let p = 0; p < pixels; p++, i++) {
        out[i] = (words[(n * pixels + p) * groups * count + word] >>> (within & 31)) & 1 ? 1 : -1;
      }
    }
  }
  return out;
}

/** Throws unless the number of words is what the shape needs. */
export function requireWords(
  owner: string,
  name: string,
  found: number,
  shape: readonly number[],
  groups: number,
): void {
  const [first, channels, height, width] = shape;
  const expected = first * height * width * groups * wordsFor(channels / groups);
  if (found !== expected) {
    throw new ValueError(`${owner}: ${name} of shape [${shape}] have ${found} words; they must be ${expected}`);
  }
}

function requirePacked(owner: string, name: string, packed: PackedWeights | PackedActivations, maker: string): void {
  requireObject(owner, name, packed, `what ${maker} gives`);
  const { shape, words } = packed;
  if (!Array.isArray(shape) || shape.length !== 4 || !(words instanceof Uint32Array)) {
    throw new ValueError(`${owner}: ${name} have no shape of four axes with words; give what ${maker} gives`);
  }
}

/** Throws unless `w` are bits of weights, as many as their shape needs. */
export function requirePackedWeights(owner: string, w: PackedWeights): void {
  requirePacked(owner, "the weights", w, "packWeights");
  requireWords(owner, "the weights", w.words.length, w.shape, 1);
}

/** Throws unless `a` are bits of activations, as many as their shape needs. */
export function requirePackedActivations(owner: string, a: PackedActivations): void {
  requirePacked(owner, "the activations", a, "packActivations");
  requireGroups(owner, a.groups, a.shape[1]);
  requireWords(owner, "the activations", a.words.length, a.shape, a.groups);
}

/**
 * The weights as -1 and +1 (float32), in their shape.
 * @throws ValueError for what `packWeights` did not make.
 */
export function unpackWeights(w: PackedWeights): Tensor {
  requirePackedWeights("unpackWeights", w);
  const [outputs, channels, height, width] = w.shape;
  return tensor(unpackAlongChannels(w.words, outputs, channels, height * width, 1), { shape: w.shape });
}

/**
 * The activations as -1 and +1 (float32), in their shape.
 * @throws ValueError for what `packActivations` did not make.
 */
export function unpackActivations(a: PackedActivations): Tensor {
  requirePackedActivations("unpackActivations", a);
  const [batch, channels, height, width] = a.shape;
  return tensor(unpackAlongChannels(a.words, batch, channels, height * width, a.groups), { shape: a.shape });
}
