import { conv, pad, random, type Tensor, tensor } from "@offprint/tensor-core";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { type Pair, packActivations, packWeights, unpackActivations, unpackWeights, xnorConv2d } from "../src/index.js";
import { popcount32 } from "../src/pack/bits.js";
import { paddingClasses } from "../src/pack/padding-classes.js";

const rng = random.rng("packing");
const list = (x: Tensor) => Array.from(x.data());
const signs = (x: Tensor) =>
  tensor(
    list(x).map((v) => (v >= 0 ? 1 : -1)),
    { shape: x.shape },
  );

describe("packing", () => {
  it("refuses what is not packed, and words of another shape", () => {
    const none = {} as never;
    expect(() => unpackWeights(none)).toThrow(
      "unpackWeights: the weights have no shape of four axes with words; give what packWeights gives",
    );
    expect(() => unpackActivations(none)).toThrow(/the activations have no shape .* give what packActivations gives/);
    expect(() => xnorConv2d(none, none)).toThrow(/xnorConv2d: the activations have no shape/);
    expect(() => xnorConv2d(packActivations([[1]]), none)).toThrow(/xnorConv2d: the weights have no shape/);
    const short = { ...packWeights([[1, -1]]), words: new Uint32Array(0) };
    expect(() => unpackWeights(short)).toThrow("the weights of shape [1,2,1,1] have 0 words; they must be 1");
    const parted = { ...packActivations([[1, -1]]), groups: 3 };
    expect(() => unpackActivations(parted)).toThrow("groups is 3; it must divide the 2 channels");
  });

  it("is convolved without detaching a buffer, however large images are: loops over typed arrays would be slower after it", () => {
    const grow = vi.spyOn(WebAssembly.Memory.prototype, "grow");
    // Words of one channel take as much memory as those of 32: 17 MB are more than an instance has at first.
    const w = packWeights(rng.normal([1, 1, 1, 1]));
    const convolved = [4, 1200, 4].map((size) => {
      const a = packActivations(tensor(new Float32Array(size * size).fill(1), { shape: [1, 1, size, size] }));
      return xnorConv2d(a, w, { kernels: "wasm" });
    });
    expect(convolved[1].every((dot) => dot === convolved[0][0])).toBe(true);
    expect(grow).not.toHaveBeenCalled();
    grow.mockRestore();
  });

  it("loses no sign for any number of channels from 1 to 70", () => {
    for (let channels = 1; channels <= 70; channels++) {
      const a = rng.normal([2, channels, 2, 3]);
      const w = rng.normal([3, channels, 1, 2]);
      const packed = packActivations(a);
      expect(packed.words.length).toBe(2 * 6 * Math.ceil(channels / 32));
      expect(list(unpackActivations(packed))).toEqual(list(signs(a)));
      expect(list(unpackWeights(packWeights(w)))).toEqual(list(signs(w)));
    }
  });

  it("keeps groups in words of their own, and no bit past the last channel", () => {
    const a = rng.normal([1, 6, 2, 2]);
    const packed = packActivations(a, { groups: 2 });
    expect(packed.words.length).toBe(4 * 2);
    expect(packed.words.every((word) => word < 8)).toBe(true);
    expect(list(unpackActivations(packed))).toEqual(list(signs(a)));
  });

  it("counts the bits of a word and of its complement to 32", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (x) => {
        const bits = x.toString(2).replaceAll("0", "").length;
        return popcount32(x) === bits && popcount32(x) + popcount32(~x) === 32;
      }),
    );
  });

  it("rejects NaN, empty tensors, other ranks and groups that do not divide", () => {
    expect(() => packWeights(tensor([1, Number.NaN], { shape: [1, 2, 1, 1] }))).toThrow(/w has NaN at position 1/);
    expect(() => packActivations(tensor([], { shape: [0, 2] }))).toThrow(/empty/);
    expect(() => packWeights([1, 2, 3])).toThrow(/four axes, or two/);
    expect(() => packActivations(rng.normal([1, 6, 1, 1]), { groups: 4 })).toThrow(/groups is 4; it must divide the 6/);
  });
});

const cases: { kernel: Pair; strides: Pair; padding: Pair; dilation?: number; groups?: number }[] = [
  ...[1, 3, 5].flatMap((kernel) => [1, 2].map((strides) => ({ kernel, strides, padding: (kernel - 1) / 2 }))),
  { kernel: 3, strides: 1, padding: 0 },
  { kernel: 3, strides: 1, padding: 2, dilation: 2 },
  { kernel: 3, strides: 2, padding: 3, dilation: 3 },
  { kernel: [2, 3] as const, strides: [1, 2] as const, padding: [1, 0] as const },
  { kernel: 3, strides: 1, padding: 1, groups: 3 },
  { kernel: 3, strides: 2, padding: 1, groups: 6 },
];

describe("XNOR and popcount", () => {
  it.each(cases)("give the integers of the float convolution: %o", ({ kernel, groups = 1, ...how }) => {
    const [kh, kw] = typeof kernel === "number" ? [kernel, kernel] : kernel;
    const padding = typeof how.padding === "number" ? [how.padding, how.padding] : how.padding;
    const pairs = padding.map((n) => [n, n] as [number, number]);
    // Words are full, part of one, several; blocks of four outputs are not; images are wider than vectors, or not.
    for (const [channels, outputs, size] of [
      [6, 6, [5, 7]],
      [66, 12, [6, 9]],
      [96, 6, [5, 5]],
    ] as const) {
      const a = rng.normal([2, channels, ...size]);
      const w = rng.normal([outputs, channels / groups, kh, kw]);
      const options = { ...how, padding: pairs, groups };
      const expected = conv(signs(a), signs(w), options as object);
      const packed = packActivations(a, { groups });
      const weights = packWeights(w);
      for (const kernels of ["wasm", "js"] as const) {
        const dots = xnorConv2d(packed, weights, { ...how, kernels });
        expect(Array.from(dots)).toEqual(list(expected));
      }
      for (const padValue of [-1, 1] as const) {
        const widened = pad(signs(a), [[0, 0], [0, 0], ...pairs], padValue);
        const exact = list(conv(widened, signs(w), { ...options, padding: 0 } as object));
        expect(Array.from(xnorConv2d(packed, weights, { ...how, padValue }))).toEqual(exact);
        expect(Array.from(xnorConv2d(packed, weights, { ...how, padValue, kernels: "js" }))).toEqual(exact);
      }
    }
  });

  it("of more words than bytes can count: 31 at a time", () => {
    const a = rng.normal([1, 2048, 3, 3]);
    const w = rng.normal([5, 2048, 3, 3]);
    const expected = list(conv(signs(a), signs(w), { padding: 1 }));
    expect(Array.from(xnorConv2d(packActivations(a), packWeights(w), { padding: 1 }))).toEqual(expected);
    const opposite = signs(a).neg();
    const all = Array.from(xnorConv2d(packActivations(opposite), packWeights(a), {}));
    expect(all).toEqual([-2048 * 9]);
  });

  it("see nine kinds of windows with a padded kernel of 3, and one without padding", () => {
    const g = { kernel: [3, 3], strides: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 } as const;
    expect(paddingClasses(g, 6, 7, 6, 7).inside.length).toBe(9);
    expect(paddingClasses({ ...g, padding: [0, 0] }, 6, 7, 4, 5).inside.length).toBe(1);
  });

  it("reject what does not fit together", () => {
    const a = packActivations(rng.normal([1, 4, 5, 5]));
    const w = packWeights(rng.normal([2, 4, 3, 3]));
    expect(() => xnorConv2d(a, packWeights(rng.normal([2, 3, 3, 3])))).toThrow(/take 3 channels a group/);
    expect(() => xnorConv2d(a, { ...w, words: w.words.slice(1) })).toThrow(/have 17 words; they must be 18/);
    expect(() => xnorConv2d({ ...a, words: a.words.slice(1) }, w)).toThrow(/have 24 words; they must be 25/);
    expect(() => xnorConv2d(a, w, { padValue: 3 as never })).toThrow(/padValue is 3/);
    expect(() => xnorConv2d(a, packWeights(rng.normal([2, 4, 7, 7])))).toThrow(/does not fit into 5 x 5/);
  });
});
