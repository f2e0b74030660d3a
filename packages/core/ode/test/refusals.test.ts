import { neg, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { integrate, piController, replaySde, solveSde, solveSync, tableaus } from "../src/index.js";

const decay = (_t: number, [y]: Float64Array) => [-y];
const tensorDecay = (_t: Tensor, y: Tensor) => neg(y);
const run = (options: object) => () => solveSync(decay, [1], [0, 1], options);
const whole = (options: object) => () => integrate(tensorDecay, f64([1]), [0, 1], options);

it.each([
  [run({ absoluteTolerance: [-1] }), "ValueError", /^solveSync: absoluteTolerance holds -1 at position 0/],
  [run({ absoluteTolerance: [0] }), "ValueError", /absoluteTolerance holds 0/],
  [run({ controller: {} }), "ValueError", /^solveSync: controller is .* with initial undefined/],
  [run({ method: { ...tableaus.tsit5, eror: [] } }), "ValueError", /did you mean "error"/],
  [run({ method: { ...tableaus.rk4, weights: [Number.NaN, 0, 0, 0] }, stepSize: 1 }), "ValueError", /not finite/],
  [() => solveSync(decay, BigInt64Array.of(1n) as never, [0, 1]), "DTypeError", /BigInt64Array/],
  [() => piController({ integral: Number.POSITIVE_INFINITY }), "ValueError", /integral Infinity/],
  [whole({ fold: { initial: f64([0]), step: (a: Tensor) => a, steps: 1 } }), "ValueError", /did you mean "step"/],
  [whole({ fold: { step: (a: Tensor) => a } }), "ValueError", /^integrate: fold: there is no initial/],
  [whole({ dense: "no" }), "ValueError", /^integrate: dense is "no"; it must be one of true, false/],
  [run({ jacobian: () => -1 }), "ValueError", /^solveSync: tsit5 asks for no Jacobian/],
  [whole({ jacobian: 1, method: "rodas4" }), "ValueError", /^integrate: jacobian is 1/],
  [
    () => integrate(tensorDecay, f64([1]), [0, 1], { dense: true }).at([0.1, 0.2]),
    "ShapeError",
    /time of at has shape/,
  ],
  [
    () => integrate(tensorDecay, f64([1]), [0, 1], { dense: true }).at(Number.NaN),
    "ValueError",
    /^integrate: the time of at/,
  ],
] as const)("refusal %#", (call, kind, message) => {
  expect(call).toThrow(errorLike(kind, message));
});

it("a stochastic solve refuses what is no controller", async () => {
  await expect(solveSde(decay, decay, [1], [0, 1], { controller: {} as never })).rejects.toThrow(/controller is/);
});

it("a controller that remembers 0 at first refuses steps and tries smaller ones, as others do", () => {
  const controller = { ...piController({ integral: 0 }), initial: 0 };
  const { end, rejected } = solveSync((_t, y) => -50 * y, 1, [0, 1], { initialStep: 1, controller });
  expectClose([end.y], [Math.exp(-50)], 1e-8);
  expect(rejected).toBeGreaterThan(0);
});

describe("events", () => {
  it("that are not numbers are said, not passed over", () => {
    const value = (t: number) => (t > 0.5 ? Number.NaN : 1);
    expect(() => solveSync(decay, [1], [0, 1], { events: [{ value }] })).toThrow(
      errorLike("NonFiniteError", /events\[0\] is NaN at t = 0\.\d+/),
    );
  });

  it("give one number", () => {
    const events = [{ value: ((_t: Tensor, y: Tensor) => y) as never }];
    expect(() => solveSync(tensorDecay, f64([1, 2]), [0, 1], { events })).toThrow(
      errorLike("ShapeError", /^solveSync: events\[0\].value gave shape \[2\]/),
    );
  });
});

describe("extreme scales", () => {
  it.each([1e-200, 1e-150, 1e150, 1e200])("a span of length %s", (length) => {
    const { end, steps } = solveSync((_t, [y]) => [(-3 * y) / length], [1], [0, length]);
    expectClose(end.y, [Math.exp(-3)], 1e-6);
    expect(steps).toBeLessThan(1000);
  });

  it("states near the largest number", () => {
    expectClose(solveSync((_t, y) => y.map(() => 0), [1e308, 1e308], [0, 1]).end.y, [1e308, 1e308], 0);
    const single = tensor([3e38, 3e38], { dtype: "float32" });
    expectClose(solveSync((_t, y: Tensor) => y.mul(0), single, [0, 1]).end.y, single, 0);
  });
});

describe("times where no step was", () => {
  it.each([
    [0, 1],
    [1, 0],
  ])("are NaN to integrate's at, from %s to %s", (t0, t1) => {
    const solved = integrate(tensorDecay, f64([1]), [t0, t1], { dense: true });
    expectClose(
      [t0, t1].map((t) => solved.at(t).item()),
      [1, Math.exp(t0 - t1)],
      1e-6,
    );
    expect([-0.1, 1.1].map((t) => solved.at(t).item())).toEqual([Number.NaN, Number.NaN]);
    const short = integrate(tensorDecay, f64([1]), [t0, t1], { dense: true, maxSteps: 2 });
    expect([t0 === 0 ? 0.9 : 0.1, t1].map((t) => short.at(t).item())).toEqual([Number.NaN, Number.NaN]);
  });

  it("are NaN to stochastic steps that are made again; those of an empty span stand still", async () => {
    const noise = (_t: Tensor, y: Tensor) => y.mul(0.5);
    const { replay, end } = await solveSde(tensorDecay, noise, f64([1]), [0, 1], { stepSize: 0.3 });
    const { ys } = replaySde(tensorDecay, noise, f64([1]), replay(), { saveAt: [-1, 0, 1, 2] });
    expectClose(ys.slice([{ start: 1, stop: 3 }]), [1, end.y.item()], 1e-12);
    expect([0, 3].map((i) => ys.slice([i, 0]).item())).toEqual([Number.NaN, Number.NaN]);
    const still = await solveSde(tensorDecay, noise, f64([1]), [5, 5]);
    expectClose(replaySde(tensorDecay, noise, f64([1]), still.replay(), { saveAt: [5] }).ys, [1], 0);
  });
});
