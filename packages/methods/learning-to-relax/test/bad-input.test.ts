import { type ConvergenceError, ShapeError, sparse, ValueError } from "@offprint/tensor-core";
import { expect, it } from "vitest";
import { gridLaplacian } from "../claims/grid.js";
import {
  asymptocity,
  boxLeastSquares,
  ChebCB,
  defectSpectralRadius,
  FixedSetting,
  goldenSection,
  hindsight,
  jacobiSpectralRadius,
  omegaGrid,
  omegaStar,
  solveSequence,
  sorEnergyBound,
  sorEnergyNorm,
  sorSpectralRadius,
  ssorCgBound,
  surrogate,
  surrogateLipschitz,
  TsallisInf,
  tsallisProbabilities,
  tsallisRegretBound,
} from "../src/index.js";

const A = gridLaplacian(3);
const ones = new Float64Array(9).fill(1);
const wide = sparse.fromDense([[1, 2]]);
const holed = sparse.fromDense([
  [0, 1],
  [1, 2],
]);
const turning = sparse.fromDense([
  [1, 0.3],
  [-0.3, 1],
]);
const indefinite = sparse.fromDense([
  [1, 3],
  [3, 1],
]);

it("theory: arguments out of range are errors that say what to give", () => {
  const wrong: [() => unknown, new (...args: never[]) => Error, RegExp][] = [
    [() => omegaStar(1), ValueError, /in \[0, 1\)/],
    [() => omegaStar(Number.NaN), ValueError, /in \[0, 1\)/],
    [() => sorSpectralRadius(2, 0.5), ValueError, /omega is 2/],
    [() => surrogate({ omega: 1, beta: 0.5, tau: 1, tolerance: 1e-8 }), ValueError, /tau is 1/],
    [() => surrogate({ omega: 1, beta: 0.5, tau: 0, tolerance: 0 }), ValueError, /tolerance is 0/],
    [() => surrogateLipschitz({ omegaMax: 2, beta: 0.5, tau: 0, tolerance: 0.1 }), ValueError, /omegaMax is 2/],
    [() => jacobiSpectralRadius(wide), ShapeError, /square/],
    [() => jacobiSpectralRadius(holed), ValueError, /row 0 is 0; it must be positive/],
    [() => defectSpectralRadius(holed, 1), ValueError, /row 0 is 0; it must be not zero/],
    [() => defectSpectralRadius(A, 0), ValueError, /omega is 0/],
    [() => sorEnergyBound(A)(2), ValueError, /omega is 2/],
    [() => sorEnergyNorm(A, -1), ValueError, /omega is -1/],
    [() => sorEnergyNorm(indefinite, 1), ValueError, /not positive definite/],
    [() => sorEnergyBound(indefinite), ValueError, /not positive definite/],
    [() => jacobiSpectralRadius(turning), ValueError, /A is not symmetric/],
    [() => sorEnergyBound(turning), ValueError, /A is not symmetric/],
    [() => sorEnergyNorm(turning, 1), ValueError, /A is not symmetric/],
    [() => ssorCgBound(turning), ValueError, /A is not symmetric/],
    [
      () =>
        defectSpectralRadius(
          sparse.fromDense([
            [1, Number.NaN],
            [2, 1],
          ]),
          1,
        ),
      ValueError,
      /A holds NaN/,
    ],
    [() => ssorCgBound(A, 1), ValueError, /tolerance is 1/],
    [() => ssorCgBound(A)(0), ValueError, /omega is 0/],
    [() => ssorCgBound(indefinite), ValueError, /not positive definite/],
    [() => tsallisRegretBound(Number.NaN, 3), ValueError, /arms is NaN/],
    [() => hindsight([[1, Number.NaN]]), ValueError, /costs\[0\] holds NaN/],
    [() => hindsight([["1" as never]]), ValueError, /costs\[0\] holds 1/],
    [() => omegaGrid(1, 1.9, 1e9), ValueError, /count is 1000000000/],
    [() => asymptocity(A, ones, { omegas: [] }), ValueError, /at least one/],
    [() => asymptocity(A, ones, { omegas: 1.5 as never }), ValueError, /omegas must be an array/],
    [() => asymptocity(A, ones, { omegas: [1.5], tolerance: 2 }), ValueError, /tolerance is 2/],
    [() => asymptocity(A, ones, { omegas: [1.5], spectralRadius: 3 as never }), ValueError, /spectralRadius is 3/],
    [
      () => asymptocity(A, ones, { omegas: [1.5], spectralRadius: () => Number.NaN }),
      ValueError,
      /gave NaN for omega 1.5/,
    ],
    [() => asymptocity(A, ones, { omegas: [1.5], spectralRadius: () => 2 }), ValueError, /gave 2 for omega 1.5/],
    [() => omegaGrid("1" as never, 1.9, 4), ValueError, /first is 1/],
    [() => asymptocity(A, [1], { omegas: [1] }), ShapeError, /length 9/],
    [() => asymptocity(indefinite, [1, 2], { omegas: [1] }), ValueError, /does not converge for omega 1/],
  ];
  for (const [run, type, message] of wrong) {
    expect(run).toThrow(type as typeof ConvergenceError);
    expect(run).toThrow(message);
  }
});

const bracket = { grid: [1, 2, 3], values: [2, 1, 2] };

it("parts: arguments out of range are errors that say what to give", () => {
  const wrong: [() => unknown, new (...args: never[]) => Error, RegExp][] = [
    [() => tsallisProbabilities([], 1, 1), ValueError, /must not be empty/],
    [() => tsallisProbabilities([1, Infinity], 1, 1), ValueError, /cumulative\[1\]/],
    [() => tsallisProbabilities([1], 0, 1), ValueError, /scale is 0/],
    [() => tsallisProbabilities([1], 1, 0), ValueError, /t is 0/],
    [() => new TsallisInf({ settings: [1], sed: 0 } as never), ValueError, /no option "sed"; did you mean "seed"/],
    [() => new ChebCB(undefined as never), ValueError, /ChebCB/],
    [() => new ChebCB({ settings: [1], seed: 0, range: [-1e308, 1e308] }), ValueError, /difference finite/],
    [() => new ChebCB({ settings: [1], seed: 0, range: [0, 1], features: 1e9 }), ValueError, /features is 1000000000/],
    [() => boxLeastSquares([[1, 2]], [1, 2], [1, 1]), ShapeError, /y has shape \[2\]/],
    [() => boxLeastSquares([1, 2], [1, 2], [1]), ShapeError, /\[rows, columns\]/],
    [() => boxLeastSquares([[1, 2]], [1], [1]), ShapeError, /bound has length 1/],
    [() => boxLeastSquares([[1, Number.NaN]], [1], [1, 1]), ValueError, /finite/],
    [() => boxLeastSquares([[1, 2]], [1], [1, -1]), ValueError, /bounds must be >= 0/],
    [() => goldenSection((w) => w, { grid: [1, 2], values: [1, 2] }), ValueError, /three ascending/],
    [() => goldenSection((w) => w, { grid: [1, 3, 2], values: [1, 2, 3] }), ValueError, /three ascending/],
    [() => goldenSection((w) => w, { grid: [1, 2, 3], vales: [1, 2, 3] } as never), ValueError, /mean "values"/],
    [() => goldenSection((w) => w, { grid: [-Infinity, 2, 3], values: [1, 2, 3] }), ValueError, /three ascending/],
    [() => goldenSection((() => undefined) as never, bracket), ValueError, /is undefined, which is not a number/],
    [() => goldenSection((() => "3") as never, bracket), ValueError, /is 3, which is not a number/],
    [() => goldenSection((async () => 3) as never, bracket), ValueError, /not a promise/],
    [() => boxLeastSquares([[1, 2]], [1], ["1", 2] as never), ValueError, /bounds must be >= 0/],
    [() => goldenSection(() => Number.NaN, { grid: [1, 2, 3], values: [2, 1, 2] }), ValueError, /not a number/],
    [() => goldenSection((w) => w, { grid: [1, 2, 3], values: [2, 1, 2] }, -1), ValueError, /evaluations is -1/],
  ];
  for (const [run, type, message] of wrong) {
    expect(run).toThrow(type as typeof ConvergenceError);
    expect(run).toThrow(message);
  }
});

it("losses that are no numbers, or whose squares overflow, are refused", () => {
  const policy = new ChebCB({ settings: [1], seed: 0, range: [0, 1] });
  policy.choose(0.5);
  expect(() => policy.update("12" as never)).toThrow(/loss is 12; it must be a finite number/);
  expect(() => policy.update(1e300)).toThrow(/count in a larger unit/);
  policy.update(12);
});

it("sequences of other things than systems are refused by name", async () => {
  const fixed = () => new FixedSetting(1.5);
  const b = new Float64Array(A.rows).fill(1);
  for (const [systems, options, message] of [
    [3, {}, /problems is 3/],
    [{}, {}, /problems cannot be iterated/],
    [[null], {}, /a system/],
    [[{ A }], {}, /there is no b/],
    [[{ A, b, shfit: 1 }], {}, /did you mean "shift"/],
    [[{ A, b }], { onSolution: 3 }, /onSolution is 3/],
    [[{ A, b }], { warmStart: "no" }, /warmStart is "no"/],
  ] as const) {
    await expect(solveSequence(systems as never, fixed(), options as never)).rejects.toThrow(message);
  }
  await expect(solveSequence([{ A, b }], {} as never)).rejects.toThrow(/policy.choose is undefined/);
});

it("relative residuals are told of right-hand sides in any unit", async () => {
  const told = async (unit: number) => {
    const systems = [{ A, b: new Float64Array(A.rows).fill(unit) }];
    const { history } = await solveSequence(systems, new FixedSetting(1.5), { solver: "ssor-cg" });
    return history[0].relativeResidual;
  };
  for (const unit of [1e-200, 1, 1e200]) {
    const residual = await told(unit);
    expect(residual).toBeGreaterThan(0);
    expect(residual).toBeLessThanOrEqual(1e-8);
  }
});
