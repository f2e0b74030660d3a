import { integrate, solveSde, solveSync } from "@offprint/ode";
import { latentOde } from "@offprint/ode/latent";
import { adam } from "@offprint/optim";
import { runConformance } from "@offprint/solvers/conformance";
import {
  add,
  div,
  grad,
  jitSync,
  matmul,
  mean,
  mul,
  random,
  square,
  sub,
  type Tensor,
  tanh,
  tensor,
} from "@offprint/tensor-core";
import { centralDifferences, errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  drawAlong,
  drawnRegularizer,
  drawStep,
  fitLocally,
  localRegularizer,
  localSdeTerm,
  localTerm,
} from "../src/index.js";

const float = (x: number) => tensor(x, { dtype: "float64" });
const decay = (_t: Tensor, y: Tensor) => mul(y, -2);
const rng = random.rng("local");
const draw = (shape: number[], scale = 0.6) => mul(rng.normal(shape, { dtype: "float64" }), scale);
const weights = { a: draw([2, 6]), b: draw([6, 2]) };
type W = typeof weights;
const rate = (t: Tensor, z: Tensor, { a, b }: W) => matmul(tanh(add(matmul(z, a), t)), b);
const x = draw([5, 2], 1);

describe("the local term", () => {
  it("of y' = -2 y is what the sheet has", () => {
    for (const [h, expected] of [
      [0.2, 0.569903763],
      [0.4, 41.86697683],
    ]) {
      expectClose(localTerm(decay, float(1.3), 0.3, h).item(), expected, { relative: 1e-8 });
      expectClose(localTerm(decay, float(1.3), 0.3, h, { regularize: "stiffness" }).item(), 0.57032052, {
        relative: 1e-8,
      });
    }
  });

  it("backwards in time it is that of the problem with time reversed", () => {
    const forwards = localTerm((_t: Tensor, y: Tensor) => mul(y, 2), float(1.3), 0, 0.2).item();
    expectClose(localTerm(decay, float(1.3), 0, -0.2).item(), forwards, 1e-12);
  });

  it("has the gradient of differences in the parameters, none in the state, and none in what is no part of the rate", () => {
    const both = { ...weights, head: draw([2, 2]) };
    const r = jitSync((u: Tensor, w: typeof both) => localTerm(rate, u, 0.2, 0.3, { parameters: w as W }));
    const slopes = grad((w: typeof both) => r(x, w))(both);
    const whole = Float64Array.from([...weights.a.data(), ...weights.b.data()]);
    const at = (v: Float64Array) =>
      r(x, { a: f64(v.slice(0, 12), [2, 6]), b: f64(v.slice(12), [6, 2]), head: both.head }).item();
    expectClose([...slopes.a.data(), ...slopes.b.data()], centralDifferences(at, whole), { ofLargest: 1e-6 });
    expect([...slopes.head.data()].every((v) => v === 0)).toBe(true);
    expect([...grad((u: Tensor) => r(u, both))(x).data()].every((v) => v === 0)).toBe(true);
    expect(r(mul(x, 1.01), both).item()).not.toBe(r(x, both).item());
  });

  it("with a constant first stage has another gradient, and the same value", () => {
    const of = (firstStageConstant: boolean) => (w: W) =>
      localTerm(rate, x, 0.2, 0.3, { parameters: w, firstStageConstant });
    expectClose(of(true)(weights).item(), of(false)(weights).item(), 0);
    expect(grad(of(true))(weights).a.data()[0]).not.toBe(grad(of(false))(weights).a.data()[0]);
  });

  it("refuses what it cannot do", () => {
    expect(() => localTerm(decay, float(1), 0, 0.1, { regularize: "stiffness", method: "bogackiShampine" })).toThrow(
      errorLike("UnsupportedError", /stiffness/),
    );
    expect(() => localTerm(decay, float(1), 0, 0.1, { regularize: "energy" as "error" })).toThrow(
      errorLike("ValueError", /regularize/),
    );
    expect(() => localTerm(decay, float(1), 0, 0.1, { atol: 1 } as object)).toThrow(errorLike("ValueError", /atol/));
    expect(() => localTerm(decay, float(1), 0, Number.NaN)).toThrow(errorLike("ValueError", /h holds NaN/));
    expect(() => localTerm(null as never, float(1), 0, 0.1)).toThrow(errorLike("ValueError", /f is null/));
  });
});

describe("the total gradient", () => {
  it("is the same by the continuous adjoint as by that of the steps, to the accuracy of the solve", () => {
    const tolerances = { relativeTolerance: 1e-6, absoluteTolerance: 1e-6 };
    const of = (adjoint: "discrete" | "interpolating") => {
      const slopes = grad((w: W) => {
        const options = { parameters: w, ...tolerances, adjoint, fold: drawAlong(x, [0, 1], 0.4) };
        const { y, folded } = integrate(rate, x, [0, 1], options);
        return add(mean(square(y)), mul(drawnRegularizer(rate, folded, [0, 1], { parameters: w }), 100));
      })(weights);
      return [...slopes.a.data(), ...slopes.b.data()];
    };
    expectClose(of("interpolating"), of("discrete"), { ofLargest: 1e-6 });
  });
});

describe("sampling", () => {
  const solved = integrate(rate, x, [0, 1], {
    parameters: weights,
    dense: true,
    relativeTolerance: 1e-6,
    absoluteTolerance: 1e-6,
  });
  const options = { parameters: weights };
  const times = (mode: "unbiased" | "biased") => {
    const one = jitSync((u: Tensor) => drawStep(rate, solved, [0, 1], u, { ...options, mode }));
    return [...rng.uniform([2000], { dtype: "float64" }).data()].map((u) => {
      const { t1, h } = one(float(u));
      return [t1.item(), h.item()];
    });
  };

  it("unbiased times are even over the span, steps end with it", () => {
    const drawn = times("unbiased");
    const sorted = drawn.map(([t]) => t).sort((a, b) => a - b);
    const distance = Math.max(...sorted.map((t, i) => Math.max(Math.abs(t - i / 2000), Math.abs(t - (i + 1) / 2000))));
    expect(distance).toBeLessThan(1.95 / Math.sqrt(2000));
    expect(drawn.every(([t, h]) => h > 0 && t + h <= 1 + 1e-15)).toBe(true);
  });

  it("biased times are the steps' own, all of them, never the end", () => {
    const known = [...solved.stepTimes.data()].slice(0, solved.steps.item());
    const drawn = new Set(times("biased").map(([t]) => t));
    expect([...drawn].sort((a, b) => a - b)).toEqual(known);
  });

  it("backwards spans have negative steps", () => {
    const back = integrate(rate, x, [1, 0], { parameters: weights, dense: true });
    const { t1, h } = drawStep(rate, back, [1, 0], 0.25, options);
    expectClose(t1.item(), 0.75, 1e-15);
    expect(h.item()).toBeLessThan(0);
    expect(localRegularizer(rate, back, [1, 0], 0.25, options).item()).toBeGreaterThan(0);
  });

  it("several draws are averaged", () => {
    const each = [0.1, 0.6].map((u) => localRegularizer(rate, solved, [0, 1], u, options).item());
    expectClose(localRegularizer(rate, solved, [0, 1], [0.1, 0.6], options).item(), (each[0] + each[1]) / 2, 1e-12);
  });

  it("along a solve they are those of its dense output, without keeping it", () => {
    const uniform = [0, 0.03, 0.4, 0.9].map(float);
    const tolerances = { relativeTolerance: 1e-6, absoluteTolerance: 1e-6 };
    for (const span of [
      [0, 1],
      [1, 0],
    ] as const) {
      const kept = integrate(rate, x, span, { ...options, ...tolerances, dense: true });
      for (const u of uniform) {
        const fold = drawAlong(x, span, u);
        const { folded } = integrate(rate, x, span, { ...options, ...tolerances, adjoint: "none", fold });
        const [drawn] = folded.draws;
        expectClose(drawn.u, kept.at(drawn.t1), 1e-13);
        const [along, after] = [
          drawnRegularizer(rate, folded, span, options),
          localRegularizer(rate, kept, span, u, options),
        ];
        expectClose(along.item(), after.item(), { relative: 1e-6 });
      }
    }
  });

  it("biased draws along a solve take each step as often, with its state", () => {
    const count = 1000;
    const uniform = f64(
      Array.from({ length: count }, (_, i) => (i + 0.5) / count),
      [count],
    );
    // Few numbers at once: each has a state.
    const some = jitSync((u: Tensor) => {
      const fold = drawAlong(x, [0, 1], u, "biased");
      const tolerances = { relativeTolerance: 1e-6, absoluteTolerance: 1e-6 };
      const { draws } = integrate(rate, x, [0, 1], { ...options, ...tolerances, adjoint: "none", fold }).folded;
      return draws.map(({ t1, h, u: state }) => ({ t1, h, state }));
    });
    const drawn = Array.from({ length: count / 20 }, (_, k) =>
      some(uniform.slice([{ start: 20 * k, stop: 20 * k + 20 }])),
    ).flat();
    const n = solved.steps.item();
    for (let j = 0; j < n; j++) {
      const [t, h] = [solved.stepTimes, solved.stepSizes].map((each) => each.data()[j] as number);
      const at = drawn.filter(({ t1 }) => t1.item() === t);
      expect(Math.abs(at.length - count / n)).toBeLessThan(0.1 * (count / n));
      expect(at.every((each) => each.h.item() === h)).toBe(true);
      expectClose(at[0]?.state as Tensor, solved.at(t), 1e-13);
    }
  });

  it("a solver from outside serves as well; by trial its steps are about as long as the built-in's", () => {
    const outside = solveSync((t: Tensor, y: Tensor) => rate(t, y, weights), x, [0, 1], {
      method: "dopri5",
      relativeTolerance: 1e-9,
      absoluteTolerance: 1e-9,
    });
    const box = { at: (t: Tensor) => outside.at(t.item()) };
    const inside = { at: solved.at };
    for (const localStep of ["initial", "trial"] as const) {
      const [a, b] = [box, inside].map((each) =>
        localRegularizer(rate, each, [0, 1], 0.4, { ...options, localStep }).item(),
      );
      expectClose(a, b, { relative: 1e-2 });
    }
    const tried = drawStep(rate, box, [0, 1], 0.4, { ...options, localStep: "trial" }).h.item();
    const first = drawStep(rate, box, [0, 1], 0.4, { ...options, localStep: "initial" }).h.item();
    expect(tried).toBeGreaterThan(first);
    expect(() => drawStep(rate, box, [0, 1], 0.4, { ...options, mode: "biased" })).toThrow(
      errorLike("UnsupportedError", /biased/),
    );
    expect(() => drawStep(rate, box, [0, 1], 0.4, { ...options, localStep: "solver" })).toThrow(
      errorLike("UnsupportedError", /solver/),
    );
  });
});

it("plain numbers are states in float64, as in integrate", () => {
  const decay = (_t: Tensor, y: Tensor) => mul(y, -1);
  const of = (y: unknown) => localTerm(decay, y as Tensor, 0, 0.1, { tolerance: 1e-12 }).item();
  expect(of(1.3)).toBe(of(float(1.3)));
  expect(of([1.3, 2])).toBe(of(f64([1.3, 2])));
  const along = (y: unknown) => {
    const how = { adjoint: "none", fold: drawAlong(y as Tensor, [0, 1], 0.4) } as const;
    const [drawn] = integrate(decay, y as Tensor, [0, 1], how).folded.draws;
    return [...drawn.u.data()];
  };
  expect(along(1.3)).toEqual(along(float(1.3)));
  expect(along([1.3, 2])).toEqual(along(f64([1.3, 2])));
});

describe("what times are drawn by", () => {
  const solved = integrate(rate, x, [0, 1], { parameters: weights, dense: true });
  const options = { parameters: weights };
  const of = (uniform: unknown, solution: object = solved, more: object = {}, span: unknown = [0, 1]) =>
    localRegularizer(rate, solution as typeof solved, span as [number, number], uniform as number, {
      ...options,
      ...more,
    });

  it("is refused where a time would lie outside the span, or nowhere", () => {
    for (const uniform of [-0.1, 1, 1.5, Number.NaN, [0.2, 1]]) {
      const words = errorLike("ValueError", /uniform holds \S+, outside \[0, 1\)/);
      expect(() => of(uniform)).toThrow(words);
      expect(() => drawAlong(x, [0, 1], uniform)).toThrow(words);
      expect(() => drawAlong(x, [0, 1], uniform, "biased")).toThrow(words);
    }
    for (const uniform of [[], [[0.1], [0.2]]]) {
      expect(() => of(uniform)).toThrow(errorLike("ShapeError", /uniform has shape/));
      expect(() => drawAlong(x, [0, 1], uniform)).toThrow(errorLike("ShapeError", /uniform has shape/));
    }
    expect(() => drawStep(rate, solved, [0, 1], [0.1], options)).toThrow(errorLike("ShapeError", /give one number/));
    for (const span of [[0, Number.NaN], [0], "01"]) {
      expect(() => of(0.5, solved, {}, span)).toThrow(errorLike("ValueError", /span/));
      expect(() => drawAlong(x, span as never, 0.5)).toThrow(errorLike("ValueError", /span/));
    }
  });

  it("is refused beside a solution that knows half of its steps, and options that are none", () => {
    const { at, stepTimes, stepSizes } = solved;
    expect(() => of(0.5, { at, stepSizes })).toThrow(errorLike("ValueError", /stepSizes and no stepTimes/));
    expect(() => of(0.5, { at, stepTimes, stepSizes: stepSizes.slice([{ start: 0, stop: 2 }]) })).toThrow(
      errorLike("ShapeError", /stepSizes/),
    );
    expect(() => of(0.5, { at, stepTimes: [0, 0.5], stepSizes: [0.5, 0.5] })).toThrow(
      errorLike("ShapeError", /stepTimes/),
    );
    expect(() => of(0.5, { stepTimes })).toThrow(errorLike("ValueError", /solution\.at/));
    expect(() => drawStep(rate, solved, [0, 1], 0.5, { ...options, locaStep: "initial" } as object)).toThrow(
      errorLike("ValueError", /did you mean "localStep"/),
    );
  });
});

describe("the local term of stochastic equations", () => {
  const drift = (_t: Tensor, u: Tensor, { a, b }: W) => matmul(tanh(matmul(u, a)), b);
  const diffusion = (_t: Tensor, u: Tensor) => mul(u, 0.3);

  it("is that of the step in a solve with the same increments, and its gradient that of differences", async () => {
    const solution = await solveSde(drift, diffusion, x, [0, 1], {
      parameters: weights,
      relativeTolerance: 0.14,
      absoluteTolerance: 0.14,
      initialStep: 0.1,
      seed: 3,
    });
    const { dW, dZ } = solution.replay();
    const [h] = solution.stepSizes;
    const noise = { dW: dW.slice([0]), dZ: dZ.slice([0]) };
    const r = jitSync((w: W) => localSdeTerm(drift, diffusion, x, 0, h, noise, { parameters: w }));
    expectClose(r(weights).item(), solution.errors[0] * h, { relative: 1e-9 });
    const slopes = grad((w: W) => r(w))(weights);
    const whole = Float64Array.from([...weights.a.data(), ...weights.b.data()]);
    const at = (v: Float64Array) => r({ a: f64(v.slice(0, 12), [2, 6]), b: f64(v.slice(12), [6, 2]) }).item();
    expectClose([...slopes.a.data(), ...slopes.b.data()], centralDifferences(at, whole), { ofLargest: 1e-6 });
  });

  it("refuses increments of other states, steps backwards and what is no function", () => {
    const [dW, dZ] = [draw([10]), draw([10])];
    const term = (h: number, noise: unknown, f: unknown = drift) =>
      localSdeTerm(f as typeof drift, diffusion, x, 0, h, noise as { dW: Tensor; dZ: Tensor }, { parameters: weights });
    expect(() => term(0.1, { dW: draw([1]), dZ })).toThrow(errorLike("ShapeError", /dW has shape \[1\] for a state/));
    expect(() => term(0.1, { dW })).toThrow(errorLike("ValueError", /dZ of noise/));
    expect(() => term(0.1, null)).toThrow(errorLike("ValueError", /noise is null/));
    for (const h of [-0.1, 0, Number.NaN]) expect(() => term(h, { dW, dZ })).toThrow(errorLike("ValueError", /h is/));
    expect(() => term(0.1, { dW, dZ }, 3)).toThrow(errorLike("ValueError", /drift is 3/));
  });

  it("knows stiffness by SOSRI2 alone", () => {
    const noise = { dW: draw([10]), dZ: draw([10]) };
    const stiff = localSdeTerm((_t: Tensor, u: Tensor, _p: null) => mul(u, -3), diffusion as never, x, 0, 0.1, noise, {
      parameters: null,
      regularize: "stiffness",
      method: "sosri2",
    });
    expectClose(stiff.item(), 3 / 10.6, 1e-9);
    expect(() =>
      localSdeTerm(drift, diffusion, x, 0, 0.1, noise, { parameters: weights, regularize: "stiffness" }),
    ).toThrow(errorLike("UnsupportedError", /sosri2/));
  });
});

const batch = { x, y: draw([5, 2], 1) };
const model = {
  rate,
  initial: (_: W, b: typeof batch) => b.x,
  loss: (_: W, { y: z }: { y: Tensor }, b: typeof batch) => mean(square(sub(z, b.y))),
};
const optimizer = adam({ learningRate: 0.01 });
const fitted = (options: object) =>
  fitLocally(model, weights, () => [batch], { optimizer, epochs: 2, tolerance: 1e-4, maxSteps: 32, ...options });

describe("fitLocally", () => {
  it("takes a model that says no types: states are tensors, batches what the data are", async () => {
    const whole = { u0: tensor([[1, 0]], { dtype: "float64" }), goal: tensor([[0, 1]], { dtype: "float64" }) };
    const { params } = await fitLocally(
      {
        rate: (_t, z, { a, b }) => matmul(tanh(matmul(z, a)), b),
        initial: (_, { u0 }) => u0,
        loss: (_, { y }, { goal }) => mean(square(sub(y, goal))),
      },
      weights,
      () => [whole],
      { optimizer, epochs: 1 },
    );
    expect(params.a.shape).toEqual([2, 6]);
  });

  it("with mode none, or without weight, is plain training bit for bit, with the same solves", async () => {
    const histories = [];
    for (const options of [{ mode: "none", lambda: 5 }, { lambda: 0 }, { lambda: 5 }]) {
      histories.push((await fitted(options)).history);
    }
    const [without, unweighted, weighted] = histories.map((history) =>
      history.map(({ loss, figures }) => [loss, figures?.evaluations]),
    );
    expect(unweighted).toEqual(without);
    expect(weighted).not.toEqual(without);
    const [[plain], , [first]] = histories;
    expectClose(first.loss, plain.loss + 5 * (first.figures?.regularizer ?? 0), 1e-12);
    expect(first.figures?.evaluations).toBe(plain.figures?.evaluations);
  });

  it("takes any adjoint, sampling, heuristic and step", async () => {
    const ways = [
      { adjoint: "backsolve" },
      { mode: "biased", samples: 3 },
      { regularize: "stiffness" },
      { localStep: "trial" },
      { localStep: "initial" },
    ];
    for (const way of ways) expect((await fitted({ lambda: 1, ...way })).history.at(-1)?.loss).toBeLessThan(50);
    const constant = await fitted({ lambda: 1, firstStageConstant: true, epochs: 1 });
    expect(constant.params.a.data()[0]).not.toBe((await fitted({ lambda: 1, epochs: 1 })).params.a.data()[0]);
  });
});

describe("what fitLocally is given", () => {
  it("may be batches that come one after the other, later, with the same result", async () => {
    async function* later() {
      for (const each of [batch, batch]) yield each;
    }
    const options = { optimizer, epochs: 2, tolerance: 1e-4, maxSteps: 32, lambda: 1 };
    const [ours, same] = [
      await fitLocally(model, weights, later, options),
      await fitLocally(model, weights, () => [batch, batch], options),
    ];
    expect(ours.history).toEqual(same.history);
  });

  it("is refused where it is no batches, no model, no optimizer and no weight", async () => {
    const settings = { optimizer, epochs: 1 };
    const cases: [() => unknown, RegExp][] = [
      [() => fitLocally(model, weights, () => 3 as never, settings), /fitLocally: data of epoch 0 cannot be iterated/],
      [() => fitLocally({ ...model, loss: 3 as never }, weights, () => [batch], settings), /model\.loss/],
      [() => fitLocally({ ...model, prepare: 3 as never }, weights, () => [batch], settings), /model\.prepare/],
      [() => fitted({ mode: "none", samples: 2 }), /samples does nothing with mode "none"; leave it out/],
      [() => fitted({ optimizer: {} }), /optimizer has no init and update/],
      [() => fitted({ lambda: null }), /lambda/],
      [() => fitted({ checkpoint: 3 }), /^fitLocally: checkpoint/],
      [() => fitted({ resume: {} }), /^fitLocally: resume/],
      [() => fitLocally(model, weights, () => [], settings), /^fitLocally: data gave no batches/],
      [() => fitted({ lambda: [3, 2, 1] }), /lambda holds 3 numbers/],
    ];
    for (const [act, words] of cases) await expect(act()).rejects.toThrow(errorLike("ValueError", words));
  });
});

describe("a rate that looks at its batch", () => {
  it("is trained as one that closes over the same, by any adjoint", async () => {
    const gain = f64([0.5, 2, 1, 3, 1], [5, 1]);
    for (const adjoint of ["backsolve", "discrete"] as const) {
      const options = { optimizer, epochs: 2, tolerance: 1e-4, maxSteps: 32, lambda: 1, adjoint };
      type Given = typeof batch & { gain: Tensor };
      const looking = {
        ...model,
        rate: (t: Tensor, z: Tensor, w: W, given: Given) => mul(rate(t, z, w), given.gain),
      };
      const closed = { ...model, rate: (t: Tensor, z: Tensor, w: W) => mul(rate(t, z, w), gain) };
      const [ours, same] = [
        await fitLocally(looking, weights, () => [{ ...batch, gain }], options),
        await fitLocally(closed, weights, () => [batch], options),
      ];
      expectClose(ours.params.a, same.params.a, 1e-12);
      expect(ours.history.at(-1)?.loss).not.toBe(ours.history[0]?.loss);
    }
  });
});

describe("a latent ODE", () => {
  it("is trained on irregular series by one local step, with any adjoint", async () => {
    const series = { times: f64([0, 0.4, 1]), values: draw([4, 3, 2]), mask: f64(new Array(24).fill(1), [4, 3, 2]) };
    const latent = latentOde({ features: 2, latent: 3, state: 4, gate: 4, rate: [6], deviation: 0.5 });
    const quicker = adam({ learningRate: 0.03 });
    const first: number[] = [];
    for (const adjoint of ["interpolating", "backsolve", "discrete"] as const) {
      const { history } = await fitLocally(
        latent.model,
        latent.init(random.rng(6)),
        latent.batches(series, { batchSize: 4 }),
        { ...latent.solving(series), ...{ optimizer: quicker, epochs: 8, tolerance: 1e-5, lambda: 1, adjoint } },
      );
      first.push(history[0].loss);
      expect(history.at(-1)?.loss).toBeLessThan(history[0].loss);
      expect(history[0].figures?.regularizer).toBeGreaterThan(0);
    }
    expectClose(first, [first[0], first[0], first[0]], 1e-12);
  });
});

runConformance(
  "fitLocally",
  {
    run: (options) =>
      fitLocally(model, weights, () => [batch, batch], {
        optimizer,
        epochs: 1,
        tolerance: 1e-3,
        maxSteps: 16,
        lambda: 1,
        ...options,
      }) as never,
    limit: "epochs",
    short: 3,
    endless: { epochs: 1e6 },
    seeded: true,
    invalid: [
      { lambda: -1 },
      { lambda: [1, 2] },
      { tolerance: 0 },
      { method: "none" },
      { mode: "both" },
      { samples: 0 },
      { adjoint: "none" },
      { firstStageConstant: "yes" },
    ],
    nonFinite: [
      () => fitLocally(model, { a: div(weights.a, 0), b: weights.b }, () => [batch], { optimizer, epochs: 1 }),
    ],
  },
  { describe, expect, it },
);
