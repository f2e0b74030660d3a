import { add, grad, mul, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  constantOnCube,
  fromModes,
  fromSamples,
  isOdd,
  SparseFourier,
  sines,
  TooManyModesError,
} from "../src/index.js";
import { randomFunction, randomPoints } from "./functions.js";

const waveOf = (k: number) => SparseFourier.cosines([{ k: [k], a: 1 }]);
const shapes = [
  [1, 5, 1],
  [2, 8, 1],
  [3, 12, 2],
  [8, 20, 1],
] as const;

describe("operations agree with values at points", () => {
  it.each(shapes)("in %d coordinates", (d, terms, period) => {
    const [u, v] = [randomFunction("u", d, terms, period), randomFunction("v", d, terms, period)];
    const x = randomPoints("x", d, 40, period);
    expectClose(u.add(v).evaluate(x), add(u.evaluate(x), v.evaluate(x)), { absolute: 1e-12 });
    expectClose(u.multiply(v).evaluate(x), mul(u.evaluate(x), v.evaluate(x)), { absolute: 1e-12 });
    const cube = u.multiply(u).multiply(u);
    expectClose(cube.evaluate(x), u.evaluate(x).pow(3), { absolute: 1e-11 });
    const smooth = u.precondition();
    // (1 - Laplacian) G u = u
    const back = smooth.gradient().reduce((sum, each, i) => sum.subtract(each.derivative(i)), smooth);
    expect(back.subtract(u).wiener()).toBeLessThan(1e-13);
  });

  it("derivatives are those of the evaluated function", () => {
    const u = randomFunction("slope", 3, 6);
    const x = randomPoints("x", 3, 4);
    const { a, theta, k, constant } = u.realForm();
    const value = (at: Tensor) => {
      let sum: Tensor = tensor(constant, { dtype: "float64" });
      for (const [j, each] of a.entries()) {
        const weights = tensor(
          [...k.subarray(3 * j, 3 * j + 3)].map((entry) => 2 * Math.PI * entry),
          { dtype: "float64" },
        );
        sum = add(sum, mul(each, mul(at, weights).sum().add(theta[j]).cos()));
      }
      return sum;
    };
    for (let i = 0; i < 4; i++) {
      const point = x.slice([i]);
      const slopes = u.gradient().map((each) => each.evaluate(point).item());
      expectClose(tensor(slopes, { dtype: "float64" }), grad(value)(point), { absolute: 1e-11 });
      expect(u.evaluate(point).item()).toBeCloseTo(value(point).item(), 12);
    }
  });
});

describe("norms", () => {
  it("obey the rules by which they are bounded, with equality where it is said", () => {
    for (let seed = 0; seed < 20; seed++) {
      const [u, v] = [randomFunction(`a${seed}`, 3, 6), randomFunction(`b${seed}`, 3, 6)];
      const slack = 1 + 1e-12;
      expect(u.add(v).barron()).toBeLessThanOrEqual((u.barron() + v.barron()) * slack);
      expect(u.multiply(v).barron()).toBeLessThanOrEqual(u.barron() * v.barron() * slack);
      expect(u.multiply(v).wiener()).toBeLessThanOrEqual(u.wiener() * v.wiener() * slack);
      expect(u.precondition().barron()).toBeLessThanOrEqual(u.barron() * slack);
      expect(u.precondition().barron()).toBeLessThanOrEqual(((1 + Math.SQRT2) / 2) * u.wiener() * slack);
      for (let i = 0; i < 3; i++) {
        expect(u.derivative(i).precondition().barron()).toBeLessThanOrEqual((u.barron() / 2) * slack);
        expect(u.derivative(i).barron()).toBeLessThanOrEqual(u.bandLimit * u.barron() * slack);
      }
    }
    const [two, three] = [SparseFourier.constant(2, 2), SparseFourier.constant(2, -3)];
    expect([two.multiply(three).barron(), two.precondition().barron()]).toEqual([6, 2]);
  });

  it("are those of the mean over a period", () => {
    const u = randomFunction("mean", 2, 5, 2);
    const n = 32;
    const grid = Array.from({ length: n * n }, (_, i) => [(2 * Math.floor(i / n)) / n, (2 * (i % n)) / n]);
    const mean = (f: SparseFourier) => f.evaluate(grid).pow(2).mean().item();
    expect(u.l2() ** 2).toBeCloseTo(mean(u), 12);
    const squares = u.gradient().reduce((sum, each) => sum + mean(each), mean(u));
    expect(u.h1() ** 2 / squares).toBeCloseTo(1, 12);
    expect(u.inner(u.precondition())).toBeCloseTo(
      u.evaluate(grid).mul(u.precondition().evaluate(grid)).mean().item(),
      12,
    );
  });

  it("do not depend on the order of coordinates, nor on where a function stands", () => {
    const terms = [
      { k: [1, -2, 0], a: 1.5, theta: 0.4 },
      { k: [0, 1, 3], a: -0.5, theta: 2 },
    ];
    const u = SparseFourier.cosines(terms);
    const permuted = SparseFourier.cosines(terms.map(({ k: [a, b, c], ...rest }) => ({ k: [c, a, b], ...rest })));
    const shifted = SparseFourier.cosines(terms.map(({ theta, ...rest }) => ({ ...rest, theta: theta + 1 })));
    for (const other of [permuted, shifted]) {
      expect([other.barron(), other.l2(), other.h1(), other.wiener()].map((norm) => norm.toPrecision(13))).toEqual(
        [u.barron(), u.l2(), u.h1(), u.wiener()].map((norm) => norm.toPrecision(13)),
      );
    }
    const stretched = SparseFourier.cosines(terms, { period: 3 });
    expect(stretched.bandLimit).toBeCloseTo(u.bandLimit / 3, 12);
  });
});

describe("what is left out is accounted for", () => {
  it("by pruning, in both norms", () => {
    const u = randomFunction("prune", 3, 30).multiply(randomFunction("other", 3, 30));
    const { u: kept, removedBarron, removedH1 } = u.prune(0.02);
    expect(kept.modes).toBeLessThan(u.modes);
    expect(u.subtract(kept).barron()).toBeCloseTo(removedBarron, 10);
    expect(u.subtract(kept).h1()).toBeCloseTo(removedH1, 10);
    const half = u.withoutSmallest(0.1);
    expect(half.modes).toBeLessThan(u.modes);
    expect(u.subtract(half).l2()).toBeLessThan(0.1);
  });

  it("by products that are cut, through further products and derivatives", () => {
    const u = randomFunction("cut", 2, 12).precondition();
    const exact = u.multiply(u).multiply(u);
    const cut = u.multiply(u, 1e-4).multiply(u, 1e-4);
    const distance = exact.subtract(cut).wiener();
    expect(distance).toBeGreaterThan(0);
    expect(distance).toBeLessThanOrEqual(cut.lost);
    const slope = exact.derivative(0).subtract(cut.derivative(0)).wiener();
    expect(slope).toBeLessThanOrEqual(cut.derivative(0).lost);
    expect(exact.lost).toBe(0);
  });
});

describe("functions are read", () => {
  it("from complex modes, which must be those of a real function", () => {
    const u = fromModes([
      { k: [0, 0], re: 1 },
      { k: [1, -2], re: 0.5, im: 0.25 },
      { k: [-1, 2], re: 0.5, im: -0.25 },
    ]);
    expect(u.evaluate([[0.1, 0.7]]).item()).toBeCloseTo(
      1 + Math.cos(2 * Math.PI * (0.1 - 1.4)) - 0.5 * Math.sin(2 * Math.PI * (0.1 - 1.4)),
      12,
    );
    expect(() => fromModes([{ k: [1], re: 1 }])).toThrow("the function is not real");
    expect(() => fromModes([{ k: [0], re: 1, im: 1 }])).toThrow("the function is not real");
  });

  it.each([
    [1, [16]],
    [2, [8, 9]],
    [3, [7, 8, 8]],
  ] as const)("from samples in %d coordinates", (d, shape) => {
    const u = randomFunction(`samples ${d}`, d, 6, 2);
    const size = shape.reduce((a, b) => a * b, 1);
    const grid = Array.from({ length: size }, (_, i) => {
      let rest = i;
      return [...shape]
        .reverse()
        .map((n) => {
          const place = rest % n;
          rest = Math.floor(rest / n);
          return (2 * place) / n;
        })
        .reverse();
    });
    const read = fromSamples(u.evaluate(grid).reshape([...shape]), { period: 2 });
    expect(read.subtract(u).wiener()).toBeLessThan(1e-12);
  });

  it("from samples whose highest frequency has an even number of points", () => {
    const samples = Array.from({ length: 4 }, (_, i) => Array.from({ length: 4 }, (_, j) => Math.sin(3 * i + j * j)));
    const u = fromSamples(samples);
    const grid = Array.from({ length: 16 }, (_, i) => [Math.floor(i / 4) / 4, (i % 4) / 4]);
    expectClose(u.evaluate(grid), tensor(samples.flat(), { dtype: "float64" }), { absolute: 1e-12 });
  });

  it("as sines, which vanish on the cube's faces and stay odd", () => {
    const u = sines([
      { k: [1, 2, 1], b: 2 },
      { k: [3, 1, 1], b: -1 },
    ]);
    const x = randomPoints("sines", 3, 10);
    const rows = x.toArray() as number[][];
    const s = (k: number, t: number) => Math.sin(Math.PI * k * t);
    const direct = rows.map(([a, b, c]) => 2 * s(1, a) * s(2, b) * s(1, c) - s(3, a) * s(1, b) * s(1, c));
    expectClose(u.evaluate(x), tensor(direct, { dtype: "float64" }), { absolute: 1e-13 });
    expect(Math.abs(u.evaluate([0.3, 1, 0.2]).item())).toBeLessThan(1e-15);
    expect([isOdd(u), isOdd(u.multiply(u).multiply(u)), isOdd(u.multiply(u))]).toEqual([true, true, false]);
    for (const d of [1, 2, 4]) expect(isOdd(sines([{ k: new Array(d).fill(2), b: 1 }]))).toBe(true);
  });

  it("as a constant on the cube, cut, with what is missing", () => {
    const { u, missingL2 } = constantOnCube(2, 3, 21);
    const n = 200;
    const grid = Array.from({ length: n * n }, (_, i) => [(Math.floor(i / n) + 0.5) / n, ((i % n) + 0.5) / n]);
    const mean = u.evaluate(grid).sub(3).pow(2).mean().item();
    expect(Math.sqrt(mean) / missingL2).toBeCloseTo(1, 2);
  });
});

describe("what is no function is refused", () => {
  it.each([
    [() => SparseFourier.cosines([]), "terms is empty"],
    [
      () =>
        SparseFourier.cosines([
          { k: [1, 2], a: 1 },
          { k: [1], a: 1 },
        ]),
      "terms[1].k is [1]; a frequency is 2 integers",
    ],
    [() => SparseFourier.cosines([{ k: [1.5], a: 1 }]), "a frequency is 1 integers"],
    [() => SparseFourier.cosines([{ k: [1], a: Number.NaN }]), "terms[0].a is NaN"],
    [() => SparseFourier.cosines([{ k: [1], a: 1 }], { period: 0 }), "period is 0"],
    [() => SparseFourier.cosines([{ k: [1], a: 1 }], { perod: 2 } as never), 'did you mean "period"'],
    [() => SparseFourier.cosines([{ k: [1], a: 1, phase: 2 } as never]), 'terms[0]: there is no option "phase"'],
    [() => SparseFourier.cosines(null as never), "terms is null"],
    [() => sines([{ k: [1], b: 1, theta: 2 } as never]), 'terms[0]: there is no option "theta"'],
    [() => randomFunction("p", 2, 3).barron(Number.NaN), "s is NaN"],
    [() => randomFunction("p", 2, 3).add(randomFunction("q", 3, 3)), "one function has 2 coordinates"],
    [() => randomFunction("p", 2, 3).multiply(randomFunction("q", 2, 3, 2)), "of period 1, the other"],
    [() => randomFunction("p", 2, 3).evaluate([[1, 2, 3]]), "give points [m, 2]"],
    [() => randomFunction("p", 2, 3).derivative(2), "axis is 2"],
    [() => fromSamples([[[[1]]]]), "a grid has 1 to 3 axes"],
    [() => fromSamples([1, Number.POSITIVE_INFINITY]), "samples"],
    [() => sines([{ k: [0, 1], b: 1 }]), "sines have k >= 1"],
    [() => fromModes([{ re: 1 } as never]), "modes[0].k is missing"],
    [() => SparseFourier.cosines([{ k: [2 ** 31], a: 1 }]), "entries are 2147483647 at most"],
    [() => waveOf(2 ** 30).multiply(waveOf(2 ** 30)), "a product has a frequency of 2147483648"],
    [() => constantOnCube(6, 1, 99), "too many"],
  ])("%#", (f, message) => {
    expect(f).toThrow(message);
  });

  it("a product of too many modes, with the remedy", () => {
    const dense = (axis: number) =>
      SparseFourier.cosines(
        Array.from({ length: 400 }, (_, j) => ({ k: axis === 0 ? [j + 1, 0] : [0, j + 1], a: 1 / (j + 1) })),
      );
    expect(() => dense(0).multiply(dense(1))).toThrow(TooManyModesError);
    expect(() => dense(0).multiply(dense(1))).toThrow(/more than 200000 modes; prune the factors/);
    expect(dense(0).multiply(dense(1), 1e-3).modes).toBeLessThan(200_000);
  });
});
