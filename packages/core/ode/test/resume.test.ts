import { neg, type Tensor } from "@offprint/tensor-core";
import { errorLike, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { BrownianPath, type SolveOptions, type SolveSdeOptions, solve, solveSde } from "../src/index.js";

const cubic = (_t: number, [y]: Float64Array) => [-(y ** 3)];
const cut = (options: SolveOptions = {}) => solve(cubic, [1], [0, 10], { ...options, maxSteps: 7 } as never);

describe("a solve that goes on", () => {
  it("gives what an unbroken one gives, saved states and events too", async () => {
    const options = { saveAt: [0.05, 0.1, 2], events: [{ value: (_t: number, [y]: Float64Array) => y - 0.9 }] };
    const { state } = await cut(options as never);
    const [whole, parts] = [
      await solve(cubic, [1], [0, 10], options),
      await solve(cubic, [1], [0, 10], { ...options, resume: state }),
    ];
    expect(parts.y).toEqual(whole.y);
    expect(parts.events).toEqual(whole.events);
    expect(parts.end).toEqual(whole.end);
  });

  it("is refused where it would go on to other numbers", async () => {
    const { state } = await cut({ saveAt: [0.1, 0.2] });
    const same = { saveAt: [0.1, 0.2], resume: state };
    const events = [{ value: () => 1 }];
    for (const [span, options, what] of [
      [[0, 20], same, "t1 10, not 20"],
      [[0, 10], { ...same, saveAt: [0.05, 0.1] }, /saveAt \[0.1,0.2\], not \[0.05,0.1\]/],
      [[0, 10], { resume: state }, "saveAt [0.1,0.2], not none"],
      [[0, 10], { ...same, stopAt: [5] }, "stopAt [10], not [5,10]"],
      [[0, 10], { ...same, dense: false }, "dense true, not false"],
      [[0, 10], { ...same, method: "dopri5" }, "method tsit5, not dopri5"],
      [[0, 10], { ...same, events }, "progress.watched is a float64 tensor [0], not a float64 tensor [1]"],
    ] as const) {
      await expect(solve(cubic, [1], span, options as never)).rejects.toThrow(what);
    }
    const damaged = { ...state, inner: { ...state.inner, blocks: undefined } } as never;
    await expect(solve(cubic, [1], [0, 10], { ...same, resume: damaged })).rejects.toThrow(
      errorLike("ValueError", /^solve: resume has no blocks/),
    );
  });
});

const drift = (_t: number, [u]: Float64Array) => [1.5 * u];
const noise = (_t: number, [u]: Float64Array) => [u];
const growth = (options: SolveSdeOptions, span: readonly [number, number] = [0, 1]) =>
  solveSde(drift, noise, [1], span, { seed: 1, ...options });

describe("a stochastic solve that goes on", () => {
  it("may end later, and gives what one in two halves gives", async () => {
    const { state } = await growth({ stepSize: 0.125 });
    const on = await growth({ stepSize: 0.125, resume: state }, [0, 2]);
    const whole = await growth({ stepSize: 0.125 }, [0, 2]);
    expect(on.end).toEqual(whole.end);
  });

  it("is refused where the state is damaged or of another solve", async () => {
    const { state } = await growth({ maxSteps: 5 });
    const broken = (part: object) => ({ resume: { ...state, inner: { ...state.inner, ...part } } as never });
    await expect(growth({ resume: state }, [0.5, 1])).rejects.toThrow(/^solveSde: resume is of a solve .* from 0, /);
    await expect(growth(broken({ proposal: Number.NaN }))).rejects.toThrow("proposal is NaN, not a finite number");
    await expect(growth(broken({ rows: undefined }))).rejects.toThrow("resume has no rows");
    await expect(growth(broken({ path: { ...state.inner.path, size: 2 } }))).rejects.toThrow(
      /^BrownianPath.restore: values\[0\] is not 4 finite numbers/,
    );
  });
});

describe("Brownian paths", () => {
  it("refuse times that are not finite, and stay as they were", () => {
    const path = BrownianPath.create(1, 1);
    const other = BrownianPath.create(1, 1);
    for (const t of [Number.POSITIVE_INFINITY, Number.NaN]) {
      expect(() => path.increment(0, t)).toThrow(errorLike("ValueError", /^BrownianPath: a time is /));
    }
    expect(path.increment(0, 1)).toEqual(other.increment(0, 1));
  });

  it("are restored from whole states only", () => {
    const path = BrownianPath.create(1, 1);
    path.increment(0, 1);
    const { state } = path;
    expect(BrownianPath.restore(state).increment(0, 0.5)).toEqual(path.increment(0, 0.5));
    for (const damaged of [
      undefined,
      { ...state, times: [0] },
      { ...state, times: [1, 0] },
      { ...state, values: [new Float64Array(1), new Float64Array(1)] },
      JSON.parse(JSON.stringify(state)),
    ]) {
      expect(() => BrownianPath.restore(damaged)).toThrow(errorLike("ValueError", /^BrownianPath.restore: /));
    }
  });

  it("leave nothing for a seed to say, and are no plain objects", async () => {
    await expect(growth({ path: BrownianPath.create(1, 5) })).rejects.toThrow(/seed says nothing/);
    await expect(growth({ seed: undefined, path: { size: 1 } as never })).rejects.toThrow(/give a BrownianPath/);
  });
});

it("no times to save are no rows, in trees of tensors too", async () => {
  const decay = (_t: Tensor, y: Tensor) => neg(y);
  const { y } = await solve(decay, f64([1, 2]), [0, 1], { saveAt: [] });
  expect(y.shape).toEqual([0, 2]);
  const none = await solveSde(decay, decay, f64([1, 2]), [0, 1], { saveAt: [] });
  expect(none.y.shape).toEqual([0, 2]);
});
