import { describe, expect, it } from "vitest";
import {
  all,
  any,
  arange,
  argMax,
  argMin,
  argsort,
  concatenate,
  cumProd,
  cumSum,
  expandDims,
  fft,
  flip,
  grad,
  IndexError,
  linalg,
  logSoftmax,
  logSumExp,
  max,
  mean,
  median,
  min,
  oneHot,
  prod,
  quantile,
  random,
  repeat,
  roll,
  scatterAdd,
  scatterAddAlongAxis,
  softmax,
  sort,
  split,
  squeeze,
  stack,
  std,
  sum,
  type Tensor,
  take,
  takeAlongAxis,
  tensor,
  topK,
  tree,
  ValueError,
  variance,
  vmap,
} from "../src/index.js";

const x = random.rng(7).normal([3, 4, 2], { dtype: "float64" });
const places = arange(0, 3, 1, "int32");
const lines = argsort(x, 1);
const single = x.slice([null, { stop: 1 }]);
const text = (value: unknown) => tree.toJson(value);

/** Every operation with an axis: by position and by name. */
const operations: [name: string, byPosition: (axis: number) => unknown, byName: (axis: number) => unknown][] = [
  ["sum", (axis) => sum(x, axis), (axis) => sum(x, { axis })],
  ["prod", (axis) => prod(x, axis), (axis) => prod(x, { axis })],
  ["mean", (axis) => mean(x, axis), (axis) => mean(x, { axis })],
  ["variance", (axis) => variance(x, axis), (axis) => variance(x, { axis })],
  ["std", (axis) => std(x, axis), (axis) => std(x, { axis })],
  ["max", (axis) => max(x, axis), (axis) => max(x, { axis })],
  ["min", (axis) => min(x, axis), (axis) => min(x, { axis })],
  ["any", (axis) => any(x.greater(0), axis), (axis) => any(x.greater(0), { axis })],
  ["all", (axis) => all(x.greater(0), axis), (axis) => all(x.greater(0), { axis })],
  ["argMax", (axis) => argMax(x, axis), (axis) => argMax(x, { axis })],
  ["argMin", (axis) => argMin(x, axis), (axis) => argMin(x, { axis })],
  ["cumSum", (axis) => cumSum(x, axis), (axis) => cumSum(x, { axis })],
  ["cumProd", (axis) => cumProd(x, axis), (axis) => cumProd(x, { axis })],
  ["logSumExp", (axis) => logSumExp(x, axis), (axis) => logSumExp(x, { axis })],
  ["softmax", (axis) => softmax(x, axis), (axis) => softmax(x, { axis })],
  ["logSoftmax", (axis) => logSoftmax(x, axis), (axis) => logSoftmax(x, { axis })],
  ["sort", (axis) => sort(x, axis), (axis) => sort(x, { axis })],
  ["argsort", (axis) => argsort(x, axis), (axis) => argsort(x, { axis })],
  ["topK", (axis) => topK(x, 2, axis), (axis) => topK(x, 2, { axis })],
  ["quantile", (axis) => quantile(x, [0.2, 0.7], axis), (axis) => quantile(x, [0.2, 0.7], { axis })],
  ["median", (axis) => median(x, axis), (axis) => median(x, { axis })],
  ["take", (axis) => take(x, places, axis), (axis) => take(x, places, { axis })],
  ["takeAlongAxis", (axis) => takeAlongAxis(x, lines, axis), (axis) => takeAlongAxis(x, lines, { axis })],
  ["scatterAdd", (axis) => scatterAdd(x, places, 1, axis), (axis) => scatterAdd(x, places, 1, { axis })],
  [
    "scatterAddAlongAxis",
    (axis) => scatterAddAlongAxis(x, lines, 1, axis),
    (axis) => scatterAddAlongAxis(x, lines, 1, { axis }),
  ],
  ["oneHot", (axis) => oneHot(places, 3, axis), (axis) => oneHot(places, 3, { axis })],
  ["expandDims", (axis) => expandDims(x, axis), (axis) => expandDims(x, { axis })],
  ["squeeze", (axis) => squeeze(single, axis), (axis) => squeeze(single, { axis })],
  ["concatenate", (axis) => concatenate([x, x], axis), (axis) => concatenate([x, x], { axis })],
  ["stack", (axis) => stack([x, x], axis), (axis) => stack([x, x], { axis })],
  ["split", (axis) => split(x, [1, 3], axis), (axis) => split(x, [1, 3], { axis })],
  ["flip", (axis) => flip(x, axis), (axis) => flip(x, { axis })],
  ["repeat", (axis) => repeat(x, 2, axis), (axis) => repeat(x, 2, { axis })],
  ["roll", (axis) => roll(x, 1, axis), (axis) => roll(x, 1, { axis })],
  ["fft", (axis) => fft.fft(x, axis), (axis) => fft.fft(x, { axis })],
  ["ifft", (axis) => fft.ifft(x, axis), (axis) => fft.ifft(x, { axis })],
  ["rfft", (axis) => fft.rfft(x, axis), (axis) => fft.rfft(x, { axis })],
  ["irfft", (axis) => fft.irfft(x, axis), (axis) => fft.irfft(x, { axis })],
  ["fftn", (axis) => fft.fftn(x, axis), (axis) => fft.fftn(x, { axes: [axis] })],
  ["fftshift", (axis) => fft.fftshift(x, axis), (axis) => fft.fftshift(x, { axis })],
  ["shuffle", (axis) => random.rng(1).shuffle(x, axis), (axis) => random.rng(1).shuffle(x, { axis })],
];

describe("axes", () => {
  it.each(operations)("of %s are taken by position and by name", (_, byPosition, byName) => {
    const axis = 1;
    expect(text(byPosition(axis))).toBe(text(byName(axis)));
    expect(() => byPosition(7)).toThrow(IndexError);
    expect(() => byName(7)).toThrow(IndexError);
    expect(() => byPosition("1" as never)).toThrow(ValueError);
  });

  it("are not those of another: the one asked for is taken", () => {
    const a = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(sum(a, 1).toArray()).toEqual([6, 15]);
    expect(a.mean(0).toArray()).toEqual([2.5, 3.5, 4.5]);
    expect(a.sum([0, 1]).item()).toBe(21);
    expect(sum(a, 1, { keepDims: true }).shape).toEqual([2, 1]);
    expect(sum(a, { axis: 1, keepDims: true }).shape).toEqual([2, 1]);
    expect(sum(a, undefined, { keepDims: true }).shape).toEqual([1, 1]);
    expect(cumSum(a, 1, { reverse: true }).toArray()).toEqual([
      [6, 5, 3],
      [15, 11, 6],
    ]);
    expect(cumProd(a, { axis: 1, reverse: true }).toArray()).toEqual([
      [6, 6, 3],
      [120, 30, 6],
    ]);
    expect(sort(a, 1, { descending: true }).toArray()).toEqual([
      [3, 2, 1],
      [6, 5, 4],
    ]);
  });

  it("work by position under grad, vmap and as methods", () => {
    const a = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(grad((v: Tensor) => sum(max(v, 1)))(a).toArray()).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(vmap((v: Tensor) => v.sum(0))(a).toArray()).toEqual([3, 7]);
  });

  it("give one error for what is neither an axis nor options", () => {
    expect(() => sum(x, null as never)).toThrow(
      "sum: the axis is null; give an integer, or an object with the options",
    );
    expect(() => x.mean("rows" as never)).toThrow("mean: the axis is rows");
    expect(() => softmax(x, x as never)).toThrow("softmax: the options are a tensor");
    expect(() => sum(x, { axis: 1 }, { keepDims: true })).toThrow("options are given twice");
    expect(() => expandDims(x, {})).toThrow(IndexError);
    expect(() => linalg.norm(x, 1 as never)).toThrow("linalg.norm: 1 may be an axis or an order");
  });
});

describe("unknown options", () => {
  const refused: [name: string, run: () => unknown, meant: string][] = [
    ["keepdims", () => sum(x, { axis: 1, keepdims: true } as never), "keepDims"],
    ["dim", () => softmax(x, { dim: 1 } as never), "axis"],
    ["keep_dims after an axis", () => x.mean(1, { keep_dims: true } as never), "keepDims"],
    ["decending", () => sort(x, { decending: true } as never), "descending"],
    ["dtpye", () => tensor([1], { dtpye: "float64" } as never), "dtype"],
    ["stdev", () => random.rng(1).normal([2], { stdev: 2 } as never), "std"],
    ["probabilty", () => random.rng(1).bernoulli([2], { probabilty: 0.1 } as never), "probability"],
    ["nrom", () => fft.fft(x, { nrom: "ortho" } as never), "norm"],
    ["inAxis", () => vmap((a: Tensor) => a, { inAxis: 1 } as never), "inAxes"],
    ["arguments", () => grad(() => tensor(1), { arguments: 1 } as never), "argument"],
    ["order", () => linalg.norm(x, { order: 1 } as never), "ord"],
    ["rcnd", () => linalg.pinv([[1]], { rcnd: 1 } as never), "rcond"],
  ];
  it.each(refused)("such as %s are refused with the nearest name", (_, run, meant) => {
    expect(run).toThrow(ValueError);
    expect(run).toThrow(`did you mean "${meant}"?`);
  });
});

it("the compiler refuses what is no axis and no option", () => {
  const wrong = [
    // @ts-expect-error keepdims is not an option
    () => sum(x, { keepdims: true }),
    // @ts-expect-error an axis is a number
    () => sum(x, "1"),
    // @ts-expect-error softmax keeps its axes
    () => softmax(x, { axis: 1, keepDims: true }),
    // @ts-expect-error one axis only
    () => cumSum(x, [0, 1]),
    // @ts-expect-error methods know their options
    () => x.mean({ axes: 1 }),
  ];
  for (const run of wrong) expect(run).toThrow();
});
