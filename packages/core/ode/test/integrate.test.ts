import {
  add,
  equal,
  grad,
  jit,
  jitSync,
  jvp,
  matmul,
  mean,
  mul,
  random,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  valueAndGrad,
  where,
} from "@offprint/tensor-core";
import { centralDifferences, errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  type Adjoint,
  embeddedStep,
  type IntegrateOptions,
  initialStepSize,
  integrate,
  solveSync,
} from "../src/index.js";

const rng = random.rng("integrate");
const draw = (shape: number[], scale: number) => mul(rng.normal(shape, { dtype: "float64" }), scale);

interface Weights {
  readonly a: Tensor;
  readonly b: Tensor;
}

const network = (t: Tensor, y: Tensor, { a, b }: Weights) => matmul(tanh(add(matmul(y, a), t)), b);
const weights = { a: draw([3, 5], 0.9), b: draw([5, 3], 0.9) };
const y0 = draw([2, 3], 1);

/** A scalar function of the weights and the first state as one vector. */
function vectorised(loss: (w: Weights, y: Tensor) => Tensor) {
  const parts = [weights.a, weights.b, y0];
  const compiled = jitSync(loss);
  const whole = Float64Array.from(parts.flatMap((x) => Array.from(x.data())));
  const f = (v: Float64Array) =>
    compiled({ a: f64(v.slice(0, 15), [3, 5]), b: f64(v.slice(15, 30), [5, 3]) }, f64(v.slice(30), [2, 3])).item();
  return { f, whole };
}

function flatGradient(loss: (w: Weights, y: Tensor) => Tensor): number[] {
  const g = grad((both: { w: Weights; y: Tensor }) => loss(both.w, both.y))({ w: weights, y: y0 });
  return [g.w.a, g.w.b, g.y].flatMap((x) => Array.from(x.data()));
}

const tight = { relativeTolerance: 1e-10, absoluteTolerance: 1e-10 };
const target = draw([2, 3], 1);

describe("integrate", () => {
  it("gives what solve gives", () => {
    const options = { relativeTolerance: 1e-7, absoluteTolerance: 1e-8 };
    const saveAt = [0, 0.3, 0.31, 1.2];
    const one = solveSync((t: Tensor, y: Tensor) => network(t, y, weights), y0, [0, 1.2], { ...options, saveAt });
    const two = integrate(network, y0, [0, 1.2], { ...options, saveAt, parameters: weights });
    expect(two.steps.item()).toBe(one.steps);
    expect(two.evaluations.item()).toBe(one.evaluations);
    expectClose(two.y, one.end.y, 1e-13);
    expectClose(two.ys, one.y, 1e-13);
    expectClose(two.errors.data().slice(0, one.steps), one.errors, { relative: 1e-6 });
    expectClose(two.stiffness.data().slice(0, one.steps), one.stiffness, 1e-8);
    expect(two.reached.item()).toBe(1);
  });

  const gradientOf = (options: IntegrateOptions<Weights>, span = [0, 1]) => {
    const loss = (w: Weights, y: Tensor) => {
      const { y: end, ys } = integrate(network, y, span as [number, number], { ...options, parameters: w });
      return add(mean(square(sub(end, target))), sum(mul(ys, 0.1)));
    };
    return { loss, gradient: flatGradient(loss) };
  };

  for (const adjoint of ["discrete", "interpolating", "backsolve", "forward"] as Adjoint[]) {
    it(`has the gradient of the solution by the ${adjoint} adjoint, saved states included, forwards and backwards`, () => {
      for (const span of [
        [0, 1],
        [0.7, -0.4],
      ]) {
        const saveAt = span.map((_, i) => span[0] + (span[1] - span[0]) * (0.3 + 0.5 * i));
        const { loss, gradient } = gradientOf({ ...tight, adjoint, saveAt }, span);
        const { f, whole } = vectorised(loss);
        expectClose(gradient, centralDifferences(f, whole), 2e-7);
      }
    });
  }

  it("the discrete and the continuous gradient come together with the tolerance", () => {
    const apart = (tolerance: number) => {
      const tolerances = { relativeTolerance: tolerance, absoluteTolerance: tolerance };
      const a = gradientOf({ ...tolerances, adjoint: "discrete" }).gradient;
      const b = gradientOf({ ...tolerances, adjoint: "interpolating" }).gradient;
      return Math.max(...a.map((x, i) => Math.abs(x - b[i])));
    };
    expect(apart(1e-4) / apart(1e-8)).toBeGreaterThan(100);
  });

  it("forward sensitivities are the derivative of the steps that were made, as the discrete adjoint is", () => {
    const options = { relativeTolerance: 1e-3, absoluteTolerance: 1e-4, saveAt: [0.2, 0.7] };
    const [forward, discrete] = (["forward", "discrete"] as const).map(
      (adjoint) => gradientOf({ ...options, adjoint }).gradient,
    );
    expectClose(forward, discrete, 1e-12);
    const stiff = (adjoint: Adjoint) =>
      grad((k: Tensor) =>
        sum(
          integrate((_t, y: Tensor, p: Tensor) => mul(y, p), f64([1, 2], [2]), [0, 1], {
            ...{ adjoint, parameters: k, method: "rodas4", absoluteTolerance: [1e-4, 1e-5] },
          }).y,
        ),
      )(f64([-1, -40], [2]));
    expectClose(stiff("forward"), stiff("discrete"), 1e-12);
  });

  it("jvp goes through forward sensitivities", () => {
    const end = (k: Tensor) =>
      integrate((_t, y: Tensor, p: Tensor) => mul(y, p), f64([1.5], [1]), [0, 1], {
        ...{ ...tight, adjoint: "forward", parameters: k },
      }).y;
    const [value, slope] = jvp(end, [f64([-0.7], [1])], [f64([2], [1])]);
    expectClose(value, [1.5 * Math.exp(-0.7)], 1e-8);
    expectClose(slope, [3 * Math.exp(-0.7)], 1e-8);
  });

  it("differentiates errors and stiffness at frozen steps, as a replay of the same steps does", () => {
    const options = { relativeTolerance: 1e-5, absoluteTolerance: 1e-5 };
    const first = integrate(network, y0, [0, 1], { ...options, parameters: weights });
    const n = first.steps.item();
    const sizes = first.stepSizes.data();
    expect(n).toBeGreaterThan(2);
    // Replayed: every step alone, of its own fixed size.
    const replay = (w: Weights, y: Tensor) => {
      let total = tensor(0, { dtype: "float64" });
      let state = y;
      let t = 0;
      for (let j = 0; j < n; j++) {
        const step = integrate(network, state, [t, t + sizes[j]], {
          ...options,
          parameters: w,
          initialStep: 10,
          controller: always,
          maxSteps: 1,
        });
        total = add(total, add(mul(sum(step.errors), sizes[j]), mul(sum(step.stiffness), 0.01)));
        state = step.y;
        t += sizes[j];
      }
      return add(total, mean(square(state)));
    };
    const regularised = (w: Weights, y: Tensor) => {
      const { y: end, errors, stiffness, stepSizes } = integrate(network, y, [0, 1], { ...options, parameters: w });
      return add(add(sum(mul(errors, stepSizes)), mul(sum(stiffness), 0.01)), mean(square(end)));
    };
    const { f, whole } = vectorised(replay);
    expectClose(replay(weights, y0).item(), regularised(weights, y0).item(), 1e-9);
    expectClose(flatGradient(regularised), centralDifferences(f, whole), 1e-6);
  });

  it("estimates the stiffness of states of any size, and its gradient", () => {
    for (const size of [1, 1e200, 1e-200]) {
      const stiffness = (k: Tensor) => {
        const options = { parameters: k, absoluteTolerance: 1e-9 * size };
        return integrate((_, y, rate: Tensor) => mul(y, rate), f64([size, 2 * size], [2]), [0, 1], options).stiffness;
      };
      expectClose(
        stiffness(f64([-3], []))
          .data()
          .slice(0, 4),
        [3, 3, 3, 3],
        1e-8,
      );
      expectClose(grad((k: Tensor) => stiffness(k).slice([0]))(f64([-3], [])), -1, 1e-8);
    }
  });

  it("differentiates the sizes of steps too where it is told to", () => {
    const options = { relativeTolerance: 1e-3, absoluteTolerance: 1e-3, stepGradient: "through" as const };
    const loss = (w: Weights, y: Tensor) => {
      const { y: end, errors, stepSizes } = integrate(network, y, [0, 1], { ...options, parameters: w });
      return add(sum(mul(errors, stepSizes)), mean(square(end)));
    };
    // No step is refused: what a refused one says about the next size is no part of the gradient.
    const { steps, evaluations } = integrate(network, y0, [0, 1], { ...options, parameters: weights });
    expect(evaluations.item()).toBe(2 + 6 * steps.item());
    const { f, whole } = vectorised(loss);
    const through = flatGradient(loss);
    expectClose(through, centralDifferences(f, whole, { step: 1e-6 }), 1e-6);
  });

  it("has gradients where errors are exactly 0, as for weights that begin at 0: of y' = a y + b about a = b = 0", () => {
    const y0 = f64([0, 0.5]);
    type Line = { a: Tensor; b: Tensor };
    const zero: Line = { a: f64([0, 0]), b: f64([0, 0]) };
    const rate = (_t: Tensor, y: Tensor, { a, b }: Line) => add(mul(a, y), b);
    for (const adjoint of ["discrete", "interpolating", "backsolve", "forward"] as const) {
      for (const method of ["tsit5", "dopri5", "dop853", "bogackiShampine", "rk4", "rodas4"] as const) {
        const settings = { adjoint, method, ...(method === "rk4" && { stepSize: 0.1 }) };
        const slopes = grad((p: Line) => sum(integrate(rate, y0, [0, 1], { parameters: p, ...settings }).y))(zero);
        // d/da (y0 + a y0 t + b t) at 0
        expectClose([...slopes.a.data(), ...slopes.b.data()], [0, 0.5, 1, 1], 1e-12);
      }
    }
    const { a } = grad((p: Line) => {
      const { errors, stiffness } = integrate(rate, y0, [0, 1], { parameters: p, norm: "state" });
      return add(sum(errors), sum(stiffness));
    })(zero);
    expect(a.data().every(Number.isFinite)).toBe(true);
  });

  it("is part of compiled functions, and the same there", async () => {
    const loss = (w: Weights, y: Tensor) =>
      mean(square(integrate(network, y, [0, 1], { parameters: w, maxSteps: 64 }).y));
    const eager = valueAndGrad(loss)(weights, y0);
    expectClose(await jit(valueAndGrad(loss))(weights, y0), eager, 1e-14);
  });

  it("takes times that are tensors, so that a compiled step need not be compiled again", () => {
    const end = jitSync(
      (t1: Tensor) => integrate((_t, y: Tensor) => mul(y, -1), tensor([1, 2], { dtype: "float64" }), [0, t1], tight).y,
    );
    for (const t of [0.5, 2, -1, 0])
      expectClose(end(tensor(t, { dtype: "float64" })), [Math.exp(-t), 2 * Math.exp(-t)], 1e-8);
  });

  it("is NaN where the steps do not suffice, and at times that were not reached", () => {
    const options = { ...tight, parameters: weights, maxSteps: 3, saveAt: [0, 1e-6, 1] };
    const { y, ys, reached } = integrate(network, y0, [0, 1], options);
    expect(reached.item()).toBe(0);
    expect(y.data().every(Number.isNaN)).toBe(true);
    expectClose(ys.slice([0]), y0, 0);
    expectClose(ys.slice([1]), y0, 1e-4);
    expect(ys.slice([2]).data().every(Number.isNaN)).toBe(true);
  });

  it("has the gradient NaN there, not 0; what was reached has its own", () => {
    const options = { ...tight, maxSteps: 3, saveAt: [1e-6, 1] };
    for (const adjoint of ["discrete", "interpolating", "backsolve", "forward"] as const) {
      const slopes = (take: (solved: { y: Tensor; ys: Tensor }) => Tensor) =>
        flatGradient((w, y) => sum(take(integrate(network, y, [0, 1], { ...options, parameters: w, adjoint }))));
      for (const lost of [slopes(({ y }) => y), slopes(({ ys }) => ys)]) expect(lost.every(Number.isNaN)).toBe(true);
      if (adjoint !== "discrete" && adjoint !== "forward") continue;
      expectClose(slopes(({ ys }) => ys.slice([0])).slice(30), new Array(6).fill(1), 1e-4);
    }
  });

  it("has the gradient NaN where the adjoint equation cannot be solved", () => {
    const rate = (_: Tensor, y: Tensor, p: Tensor) => mul(p, where(y.lessEqual(1.5), sqrt(sub(1, y)), 0));
    const end = (y: Tensor) => integrate(rate, y, [0, 1], { parameters: f64([0], []), adjoint: "backsolve" }).y;
    expect(grad((y: Tensor) => sum(end(y)))(f64([1], [1])).data()).toEqual(Float64Array.of(Number.NaN));
  });

  it("takes saved times in order, and gives NaN for tensors of times that are not", () => {
    const save = (saveAt: number[] | Tensor, span: [number, number] = [0, 1]) =>
      integrate(network, y0, span, { saveAt, parameters: weights, adjoint: "none" }).ys;
    expect(() => save([0.5, 0.2])).toThrow(errorLike("ValueError", /saveAt holds 0.5,0.2/));
    expect(() => save([0.5, 1.2])).toThrow(errorLike("ValueError", /saveAt holds 1.2/));
    expect(() => save([0.2, 0.5], [1, 0])).toThrow(errorLike("ValueError", /saveAt/));
    const rows = save(f64([0.9, 0.001], [2]));
    expect([...rows.data()].map(Number.isNaN)).toEqual([...new Array(6).fill(false), ...new Array(6).fill(true)]);
  });
});

describe("memory", () => {
  /** Bytes of a gradient whose solve has room for so many steps. */
  const bytes = (options: IntegrateOptions<Weights>, maxSteps: number, times: number): number => {
    const y = draw([64, 3], 1);
    const saveAt = Float64Array.from({ length: times }, (_, i) => (i + 1) / times);
    const loss = (w: Weights) => sum(integrate(network, y, [0, 1], { ...options, maxSteps, saveAt, parameters: w }).ys);
    return jitSync(grad(loss)).program(weights).bytes ?? 0;
  };
  const state = 64 * 3 * 8;

  it("of the adjoint that solves backwards does not grow with states of steps, that of the others does", () => {
    const growth = (options: IntegrateOptions<Weights>) => (bytes(options, 300, 4) - bytes(options, 100, 4)) / 200;
    expect(growth({ adjoint: "backsolve" })).toBeLessThan(10 * 8);
    expect(growth({ adjoint: "discrete" }) / state).toBeCloseTo(8, 1);
    expect(growth({ adjoint: "discrete", checkpointEvery: 1 }) / state).toBeCloseTo(1, 1);
    expect(growth({ adjoint: "discrete", checkpointEvery: 10 }) / state).toBeCloseTo(0.1, 1);
    expect(growth({ adjoint: "interpolating" }) / state).toBeCloseTo(8, 0);
    expect(growth({ adjoint: "interpolating", checkpointEvery: 20 }) / state).toBeLessThan(0.2);
    expect(growth({ adjoint: "backsolve", dense: true }) / state).toBeCloseTo(8, 0);
  });

  it("of saved states is that of the states", () => {
    const each = (bytes({ adjoint: "backsolve" }, 100, 400) - bytes({ adjoint: "backsolve" }, 100, 200)) / 200;
    expect(each / state).toBeLessThan(4.5);
  });
});

describe("states kept every so many steps", () => {
  const options = { relativeTolerance: 1e-5, absoluteTolerance: 1e-5, saveAt: [0.2, 0.7] };
  const gradientOf = (more: IntegrateOptions<Weights>) =>
    flatGradient((w, y) => {
      const solved = integrate(network, y, [0, 1], { ...options, ...more, parameters: w });
      const { errors, stepSizes, stiffness, ys } = solved;
      return add(add(sum(mul(errors, stepSizes)), mul(sum(stiffness), 0.01)), add(sum(ys), mean(square(solved.y))));
    });

  it("give the same gradient, however many steps there are in between", () => {
    const all = gradientOf({});
    for (const checkpointEvery of [0, 1, 2, 3, 7, 300]) expectClose(gradientOf({ checkpointEvery }), all, 1e-14);
    const through = { stepGradient: "through" } as const;
    expectClose(gradientOf({ ...through, checkpointEvery: 4 }), gradientOf(through), 1e-13);
    const stops = { stopAt: [0.31] };
    // Rates at the end of a step are those just before it, by a part of 1e-13 of the step.
    expectClose(gradientOf({ ...stops, checkpointEvery: 3 }), gradientOf(stops), 1e-11);
  });

  it("give the gradient of the interpolating adjoint, to its own accuracy", () => {
    const loss = (more: IntegrateOptions<Weights>, span: [number, number]) =>
      flatGradient((w, y) => {
        const saveAt = [0, 0.2, 0.7, 1].map((part) => span[0] + part * (span[1] - span[0]));
        const solved = integrate(network, y, span, { ...tight, ...more, saveAt, parameters: w });
        return add(sum(solved.ys), mean(square(solved.y)));
      });
    for (const { span, checkpointEvery } of [
      { span: [0, 1], checkpointEvery: 4 },
      { span: [0.6, -0.3], checkpointEvery: 300 },
    ] as { span: [number, number]; checkpointEvery: number }[]) {
      const all = loss({ adjoint: "interpolating" }, span);
      expectClose(loss({ adjoint: "interpolating", checkpointEvery }, span), all, 1e-8);
    }
  });

  it("are refused where no states are kept", () => {
    for (const adjoint of ["backsolve", "forward", "none"] as const) {
      expect(() => gradientOf({ adjoint, checkpointEvery: 2 })).toThrow(errorLike("ValueError", /checkpointEvery/));
    }
    expect(() => gradientOf({ checkpointEvery: -1 })).toThrow(errorLike("ValueError", /checkpointEvery/));
  });
});

describe("what is gathered of the steps", () => {
  it("sees each step that stands, and the states between its ends", () => {
    const int = tensor(0, { dtype: "int32" });
    const zero = tensor(0, { dtype: "float64" });
    const options = { relativeTolerance: 1e-5, absoluteTolerance: 1e-5, parameters: weights, dense: true };
    const { folded, steps, stepTimes, stepSizes, errors, y, at } = integrate(network, y0, [0, 1], {
      ...options,
      fold: {
        initial: { count: int, length: zero, weighed: zero, start: mul(y0, 0), middle: mul(y0, 0), end: mul(y0, 0) },
        step: (g, s) => ({
          count: add(g.count, 1),
          length: add(g.length, sub(s.end, s.t)),
          weighed: add(g.weighed, mul(s.error, s.h)),
          start: where(equal(g.count, 1), s.y, g.start),
          middle: where(equal(g.count, 1), s.at(add(s.t, mul(s.h, 0.5))), g.middle),
          end: s.next,
        }),
      },
    });
    expect(folded.count.item()).toBe(steps.item());
    expectClose(folded.length, 1, 1e-15);
    expectClose(folded.weighed, sum(mul(errors, stepSizes)), 1e-15);
    const [t, h] = [stepTimes, stepSizes].map((x) => x.data()[1]);
    expectClose(folded.start, at(t), 1e-13);
    expectClose(folded.middle, at(t + h / 2), 1e-13);
    expectClose(folded.end, y, 0);
  });

  it("is a constant to gradients, and refused where it is none", () => {
    const last = (y: Tensor) =>
      integrate(network, y, [0, 1], { parameters: weights, fold: { initial: mul(y, 0), step: (_, s) => s.next } });
    expectClose(grad((y: Tensor) => sum(last(y).folded))(y0), mul(y0, 0), 0);
    expect(() => integrate(network, y0, [0, 1], { parameters: weights, fold: 3 as never })).toThrow(
      errorLike("ValueError", /fold/),
    );
  });
});

const always = {
  initial: 1,
  decide: (error: Tensor, memory: Tensor) => ({
    accepted: error.greaterEqual(0),
    factor: add(mul(error, 0), 1),
    memory,
  }),
};

describe("what regularisers of single steps need", () => {
  const options = { relativeTolerance: 1e-5, absoluteTolerance: 1e-5, parameters: weights };

  it("the dense output is there to be asked, and a constant to gradients", () => {
    const { at } = integrate(network, y0, [0, 1], { ...options, dense: true });
    const solution = solveSync((t: Tensor, y: Tensor) => network(t, y, weights), y0, [0, 1], options);
    for (const t of [0, 0.3, 1]) expectClose(at(t), solution.at(t), 1e-12);
    const slopes = grad((y: Tensor) => sum(integrate(network, y, [0, 1], { ...options, dense: true }).at(0.5)))(y0);
    expectClose(slopes, mul(y0, 0), 0);
    expect(() => integrate(network, y0, [0, 1], options).at(0.5)).toThrow(errorLike("UnsupportedError", /dense/));
  });

  it("a step alone has the estimates that it has in a solve", () => {
    const solved = integrate(network, y0, [0, 1], options);
    const [h, t] = [solved.stepSizes.data()[1], solved.stepTimes.data()[1]];
    const y = integrate(network, y0, [0, 1], { ...options, dense: true }).at(t);
    const { error, stiffness } = embeddedStep(network, t, y, h, options);
    expectClose(error.item(), solved.errors.data()[1], { relative: 1e-6 });
    expectClose(stiffness.item(), solved.stiffness.data()[1], 1e-8);
    const first = initialStepSize(network, 0, y0, 1, options).item();
    expectClose(first, solved.stepSizes.data()[0], 1e-12);
    expectClose(
      initialStepSize(network, 0, y0, -1, options).item(),
      solveSync((s: Tensor, x: Tensor) => network(s, x, weights), y0, [0, -1], options).stepSizes[0],
      1e-12,
    );
  });
});
