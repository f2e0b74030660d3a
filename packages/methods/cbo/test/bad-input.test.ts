import {
  ConvergenceError,
  DTypeError,
  div,
  matmul,
  mul,
  ShapeError,
  sqrt,
  sum,
  type Tensor,
  tensor,
  UnsupportedError,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { errorLike } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { quadratic, rastrigin } from "../claims/landscapes.js";
import {
  type CboProblem,
  cbo,
  cboTrain,
  consensusHopping,
  consensusPoint,
  gradientDescent,
  hopGradient,
  pathDiagnostics,
  proximalPath,
  proximalStep,
  randomSearch,
  type TrainingData,
  treeModel,
} from "../src/index.js";
import { plain } from "./plain.js";

const problem = { objective: { perParticle: plain(rastrigin) }, dimension: 2 };

/** Each case: what is called, the kind of error, and what its message must say. */
type Case = readonly [call: () => unknown, kind: new (...args: any[]) => Error, message: RegExp];

function rejects(cases: Readonly<Record<string, Case>>): void {
  for (const [name, [call, kind, message]] of Object.entries(cases)) {
    it(name, async () => {
      const error: any = await Promise.resolve()
        .then(call)
        .catch((e) => e);
      expect(error).toBeInstanceOf(kind);
      expect(error.message).toMatch(message);
    });
  }
}

describe("cbo rejects", () => {
  const numbers = {
    particles: [1, /particles is 1; it must be an integer >= 2/],
    maxIterations: [-1, /maxIterations is -1; it must be an integer >= 0/],
    dt: [0, /dt is 0; it must be a finite number > 0/],
    lambda: [-1, /lambda is -1/],
    sigma: [-0.1, /sigma is -0.1; it must be a finite number >= 0/],
    alpha: [-1, /alpha is -1; it must be >= 0/],
    maxEvaluations: [10, /maxEvaluations is 10; the first step alone takes 201/],
    tolerance: [0, /tolerance is 0/],
    patience: [0.5, /patience is 0.5/],
    restarts: [-1, /restarts is -1/],
    batchParticles: [500, /batchParticles is 500 of 200 particles/],
    seed: [Number.NaN, /cbo: seed is NaN/],
    noise: ["white", /noise is "white"; it must be one of "isotropic", "anisotropic"/],
    noiseAt: ["during", /noiseAt is "during"; it must be one of "pre", "post"/],
    batchUpdate: ["some", /batchUpdate is "some"/],
    dtype: ["int32", /dtype is "int32"/],
    mean: [Number.NaN, /mean is NaN in coordinate 0/],
    std: [-1, /std is -1 in coordinate 0/],
    cooling: [{ everySteps: 0 }, /cooling.everySteps is 0/],
    gradient: [{ gamma: -1, learningRate: 1 }, /gradient.gamma is -1/],
  } as const;
  rejects(
    Object.fromEntries(
      Object.entries(numbers).map(([option, [value, message]]) => [
        option,
        [() => cbo(problem, { [option]: value } as any), ValueError, message] as Case,
      ]),
    ),
  );
  rejects({
    "no problem": [() => cbo(null as any), ValueError, /the problem is null; give \{ objective, dimension \}/],
    "no objective": [() => cbo({ dimension: 2 } as any), ValueError, /objective is undefined; give a function/],
    "no dimension": [() => cbo({ objective: quadratic.objective }), ValueError, /give dimension/],
    "a dimension of 0": [() => cbo({ ...problem, dimension: 0 }), ValueError, /dimension is 0/],
    "bounds that cross": [
      () => cbo({ ...problem, bounds: { lower: [0, 2], upper: 1 } }),
      ValueError,
      /bounds of coordinate 1 are 2 and 1; lower must not exceed upper/,
    ],
    "bounds of another dimension": [
      () => cbo({ ...problem, bounds: { lower: [0, 0, 0], upper: 1 } }),
      ShapeError,
      /bounds.lower has shape \[3\]; give a number, or one per coordinate, \[2\]/,
    ],
    "particles of another shape": [
      () => cbo(problem, { initial: [[1, 2, 3]], particles: 2 }),
      ShapeError,
      /initial has shape \[1,3\]; 2 particles of 2 coordinates are \[2, 2\]/,
    ],
    "particles that are not finite": [
      () =>
        cbo(problem, {
          initial: [
            [1, 2],
            [Number.NaN, 0],
          ],
        }),
      ValueError,
      /initial holds NaN/,
    ],
    "noise of another shape": [
      () => cbo(problem, { noiseSource: () => zeros([3, 2]) }),
      ShapeError,
      /noiseSource\(0\) has shape \[3,2\]/,
    ],
    "bounds as pairs that are none": [
      () => cbo({ ...problem, bounds: [[0, 1], [2]] as any }),
      ShapeError,
      /bounds\[1\] is 2; give \[lower, upper\] for every coordinate/,
    ],
    "bounds with one side": [
      () => cbo({ ...problem, bounds: { lower: 0 } as any }),
      ValueError,
      /bounds need both sides/,
    ],
    "a function of one particle, in tensors": [
      () => cbo({ objective: (v: Tensor) => v.square().sum(), dimension: 2 }),
      ShapeError,
      /Give a function of one particle as \{ perParticle: f \}/,
    ],
    "a function of one particle, in plain numbers": [
      () => cbo({ objective: ((v: Float64Array) => v[0] ** 2) as any, dimension: 2 }),
      ShapeError,
      /the objective returned NaN for 200 particles .* given as \{ perParticle: f \}/,
    ],
    "a function of an array": [
      () => cbo({ objective: ((v: Float64Array) => v.reduce((a, b) => a + b)) as any, dimension: 2 }),
      ValueError,
      /the objective failed on a tensor \[200,2\]: .*\{ perParticle: f \}/,
    ],
    "energies of another length": [
      () => cbo({ objective: (v: Tensor) => v.sum(), dimension: 2 }),
      ShapeError,
      /the objective returned shape \[\] for 200 particles; it must return one energy each, \[200\]/,
    ],
    "a batch of another length": [
      () => cbo({ objective: { batch: () => [1, 2] }, dimension: 2 }),
      ShapeError,
      /the objective returned shape \[2\] for 200 particles/,
    ],
    "an energy that is no number": [
      () => cbo({ objective: { perParticle: () => "1" as any }, dimension: 2 }),
      ValueError,
      /perParticle returned string for particle 0; it must return a number/,
    ],
    "a promise in the place of a tensor": [
      () => cbo({ objective: (async (v: Tensor) => v) as any, dimension: 2 }),
      ValueError,
      /returned a promise; give it as \{ batch: objective \}/,
    ],
    "an objective that is NaN everywhere": [
      () => cbo({ objective: { perParticle: () => Number.NaN }, dimension: 2 }),
      ValueError,
      /the objective is finite at none of the 200 particles at step 0/,
    ],
    "an objective of -Infinity": [
      () => cbo({ objective: { perParticle: (v) => (v[0] > 0 ? -Infinity : 0) }, dimension: 2 }),
      ValueError,
      /-Infinity at step 0; it must be bounded below/,
    ],
    "a projection that changes the shape": [
      () => cbo({ ...problem, project: (v) => v.sum({ axis: 1 }) }),
      ShapeError,
      /project returned shape \[200\]/,
    ],
    "a state of another swarm": [
      async () => cbo(problem, { particles: 50, resume: (await cbo(problem, { maxIterations: 5 })).state }),
      ShapeError,
      /resume.particles has shape \[200,2\]; 50 particles/,
    ],
    "no concurrency": [
      () => cbo({ objective: { perParticle: async () => 1, concurrency: 0 }, dimension: 2 }),
      ValueError,
      /concurrency is 0/,
    ],
  });

  it("passes errors of the objective on", async () => {
    const failing = {
      objective: {
        perParticle: () => {
          throw new RangeError("simulator");
        },
      },
      dimension: 2,
    };
    await expect(cbo(failing)).rejects.toThrow(new RangeError("simulator"));
    const late = {
      objective: {
        perParticle: async () => {
          throw new RangeError("service");
        },
      },
      dimension: 2,
    };
    await expect(cbo(late)).rejects.toThrow("service");
  });
});

describe("the others reject", () => {
  const rowed = { objective: quadratic.objective };
  rejects({
    "energies and particles that do not fit": [
      () => consensusPoint([1, 2], [[1]], 1),
      ShapeError,
      /energies have shape \[2\] and particles \[1,1\]/,
    ],
    "a negative alpha": [() => consensusPoint([1], [[1]], -1), ValueError, /alpha is -1/],
    "energies without a finite one": [
      () => consensusPoint([Number.NaN, Infinity], [[1], [2]], 1),
      ValueError,
      /finite at none of the 2 particles/,
    ],
    "hopping without a width": [() => consensusHopping(rowed, { initial: [1], width: 0 }), ValueError, /width is 0/],
    "hopping with a bad schedule": [
      () => consensusHopping(rowed, { initial: [1], width: 1, schedule: { everySteps: 1, factor: 0 } }),
      ValueError,
      /schedule.factor is 0/,
    ],
    "a hop of infinite alpha": [
      () => hopGradient(rowed, [1], { width: 1, alpha: Infinity }),
      ValueError,
      /alpha is Infinity; a hop of length alpha width\^2 needs a finite alpha > 0/,
    ],
    "a hop without samples": [
      () => hopGradient(rowed, [1], { width: 1, alpha: 1, samples: 0 }),
      ValueError,
      /samples is 0/,
    ],
    "autodiff of plain numbers": [
      () => gradientDescent({ objective: { perParticle: (v) => v[0] } }, { initial: [1], gradient: "autodiff" }),
      ValueError,
      /cannot be differentiated; take gradient: "finite-difference"/,
    ],
    "an unknown gradient": [
      () => gradientDescent(rowed, { initial: [1], gradient: "exact" as any }),
      ValueError,
      /gradient is exact/,
    ],
    "a gradient of another shape": [
      () => gradientDescent(rowed, { initial: [1, 2], gradient: () => [1] }),
      ShapeError,
      /the gradient has shape \[1\] at points of shape \[1,2\]/,
    ],
    "a start of rank 3": [
      () => gradientDescent(rowed, { initial: tensor([[[1]]]) }),
      ShapeError,
      /initial has shape \[1,1,1\]/,
    ],
    "a proximal step without length": [() => proximalStep(rowed, [1], 0), ValueError, /tau is 0/],
    "a proximal step in four dimensions": [
      () => proximalStep(rowed, [1, 2, 3, 4], 1),
      UnsupportedError,
      /4 dimensions/,
    ],
    "a proximal step without a minimiser": [
      () => proximalStep({ objective: { perParticle: (v) => -(v[0] ** 4) } }, [1], 1),
      ConvergenceError,
      /must be bounded below/,
    ],
    "a path without steps": [() => proximalPath(rowed, { initial: [1], tau: 1, steps: -1 }), ValueError, /steps is -1/],
    "a path of another dimension": [
      () => pathDiagnostics({ ...rowed, dimension: 3 }, [[1, 2]]),
      ShapeError,
      /path has shape \[1,2\]; give \[points, 3\]/,
    ],
    "a search without samples": [() => randomSearch(problem, { particles: 0 }), ValueError, /particles is 0/],
  });
});

describe("cboTrain rejects", () => {
  const model = { parameters: 2, loss: (theta: Tensor) => theta.square().sum({ axis: 1 }) };
  const data = { inputs: zeros([6, 1]), targets: zeros([6]) };
  const options = {
    particles: [1, /particles is 1/],
    batchParticles: [101, /batchParticles is 101 of 100 particles/],
    batchSize: [0, /batchSize is 0/],
    epochs: [-1, /epochs is -1/],
    dt: [-1, /dt is -1/],
    alpha: [Number.NaN, /alpha is NaN/],
    noise: ["pink", /noise is "pink"/],
    initial: [[[1]], /initial has shape \[1,1\]; 100 particles of 2 coordinates/],
  } as const;
  rejects(
    Object.fromEntries(
      Object.entries(options).map(([option, [value, message]]) => [
        option,
        [() => cboTrain(model, data, { [option]: value } as any), Error, message] as Case,
      ]),
    ),
  );
  rejects({
    "no samples": [
      () => cboTrain(model, { inputs: zeros([0, 1]), targets: zeros([0]) }),
      ValueError,
      /data holds no samples/,
    ],
    "inputs and targets that do not fit": [
      () => cboTrain(model, { inputs: zeros([6, 1]), targets: zeros([5]) }),
      ShapeError,
      /samples along axis 0/,
    ],
    "losses of another length": [
      () => cboTrain({ ...model, loss: (theta) => theta }, data, { epochs: 1 }),
      Error,
      /loss returned shape \[10,2\] for 10 particles; it must return one loss each, \[10\]/,
    ],
    "a state of another model": [
      async () => {
        const other = { parameters: 3, loss: (theta: Tensor) => theta.square().sum({ axis: 1 }) };
        const { state } = await cboTrain(other, data, { epochs: 1 });
        return cboTrain(model, data, { resume: state });
      },
      ShapeError,
      /resume.particles has shape \[100,3\]/,
    ],
  });
});

const own = problem.objective.perParticle;
const pair = tensor([
  [1, 2],
  [3, 4],
]);

describe("nothing that was given is ignored:", () => {
  const twoForms = { perParticle: own, batch: () => zeros([200]) };
  rejects({
    "a misspelt field of gradient": [
      () => cbo(problem, { gradient: { gamma: 1, learningRate: 1, learningrate: 2 } as any }),
      ValueError,
      /cbo: gradient: there is no option "learningrate"; did you mean "learningRate"/,
    ],
    "a gradient that is null": [() => cbo(problem, { gradient: null as any }), ValueError, /cbo: gradient.* null/],
    "a third field of bounds": [
      () => cbo({ ...problem, bounds: { lower: 0, upper: 1, uper: 2 } as any }),
      ValueError,
      /cbo: bounds: there is no option "uper"; did you mean "upper"/,
    ],
    "bounds that are null": [() => cbo({ ...problem, bounds: null as any }), ValueError, /cbo: bounds.* null/],
    "a misspelt concurrency": [
      () => cbo({ ...problem, objective: { perParticle: own, concurency: 2 } as any }),
      ValueError,
      /cbo: objective: there is no option "concurency"; did you mean "concurrency"/,
    ],
    "an objective of two forms": [
      () => cbo({ ...problem, objective: twoForms as any }),
      ValueError,
      /cbo: objective: there is no option "batch"/,
    ],
    "batchUpdate without batches": [
      () => cbo(problem, { batchUpdate: "partial" }),
      ValueError,
      /batchUpdate does nothing with no batchParticles/,
    ],
    "a mean beside particles": [
      () => cbo(problem, { initial: pair, mean: 5 }),
      ValueError,
      /mean does nothing with initial particles/,
    ],
    "restarts of swarms that never end": [
      () => cbo(problem, { restarts: 3 }),
      ValueError,
      /restarts does nothing with neither tolerance nor patience/,
    ],
    "recordPath that is no truth value": [
      () => cbo(problem, { recordPath: "no" as any }),
      ValueError,
      /recordPath is "no"/,
    ],
    "a noiseSource that is none": [
      () => cbo(problem, { noiseSource: 3 as any }),
      ValueError,
      /noiseSource is 3; give a function/,
    ],
    "a schedule that is none": [
      () => consensusHopping(problem, { initial: [1, 2], width: 1, schedule: "vanish" as any }),
      ValueError,
      /schedule is "vanish"; give "constant", "vanishing"/,
    ],
    "a misspelt field of schedule": [
      () => consensusHopping(problem, { initial: [1, 2], width: 1, schedule: { everySteps: 1, factr: 1 } as any }),
      ValueError,
      /schedule: there is no option "factr"; did you mean "factor"/,
    ],
  });
});

describe("no silent number that is none:", () => {
  rejects({
    "a width that rounding swallows": [
      () => hopGradient(problem, [1, 2], { width: 1e-20, alpha: 1 }),
      ValueError,
      /hopGradient: width is 1e-20, for x as large as 2/,
    ],
    "a step that is 0 in numbers": [
      () => hopGradient(problem, [0, 0], { width: 1e-200, alpha: 1 }),
      ValueError,
      /alpha width\^2 must be a finite number > 0/,
    ],
    "a consensus of particles that are NaN": [
      () => consensusPoint([1, 2], [[Number.NaN], [3]], 1),
      ValueError,
      /coordinate 0 of the consensus is NaN; particles of finite energy must be finite/,
    ],
    "a consensus of particles whose sum overflows": [
      () => consensusPoint([1, 1], [[1e308], [1e308]], 1),
      ValueError,
      /coordinate 0 of the consensus is Infinity/,
    ],
  });
});

describe("a damaged state is refused:", () => {
  const resumed = async (changed: object) => {
    const { state } = await cbo(problem, { maxIterations: 2 });
    return cbo(problem, { maxIterations: 4, resume: { ...state, inner: { ...state.inner, ...changed } } });
  };
  const best = { x: zeros([2]), objective: 1 };
  rejects({
    "a consensus of another shape": [
      () => resumed({ consensus: zeros([1]) }),
      ShapeError,
      /resume.consensus has shape \[1\]/,
    ],
    "no start": [() => resumed({ start: undefined }), ShapeError, /resume.start is undefined/],
    "an unknown next": [() => resumed({ next: "foo" }), ValueError, /resume.next is "foo"/],
    "a best of another shape": [() => resumed({ best: { ...best, x: zeros([1]) } }), ShapeError, /resume.best.x/],
    "a best whose objective is text": [
      () => resumed({ best: { ...best, objective: "a" } }),
      ValueError,
      /resume.best.objective is a/,
    ],
    "no earlier": [() => resumed({ earlier: undefined }), ShapeError, /resume.earlier.x is undefined/],
    "restarts that are missing": [() => resumed({ restarts: undefined }), ValueError, /resume.restarts is undefined/],
    "evaluations that are text": [() => resumed({ evaluations: "5" }), ValueError, /resume.evaluations is/],
    "a count that is NaN": [() => resumed({ stalled: Number.NaN }), ValueError, /resume.stalled is NaN/],
  });
});

describe("cboTrain refuses what it ignored:", () => {
  const data = { inputs: zeros([4, 1]), targets: zeros([4]) };
  const model = { parameters: 2, loss: (theta: Tensor) => theta.square().sum({ axis: 1 }) };
  const train = (options: object) => cboTrain(model, data, { epochs: 1, particles: 10, ...options });
  const inner = { epoch: 0, particles: zeros([10, 2]), consensus: zeros([2]), variance: 1, evaluations: 0 };
  const resumed = (changed: object) =>
    train({ resume: { iterations: 0, history: [], inner: { ...inner, ...changed } } });
  rejects({
    "cooling as a word": [() => train({ cooling: "no" }), ValueError, /cooling is "no"/],
    "reduction as a word": [() => train({ reduction: "yes" }), ValueError, /reduction is "yes"/],
    "evaluate that is none": [() => train({ evaluate: 3 }), ValueError, /evaluate is 3; give a function/],
    "evaluate that gives a number": [() => train({ evaluate: () => 3 }), ValueError, /evaluate gave 3; it must/],
    "a mean beside particles": [
      () => train({ initial: zeros([10, 2]), mean: 3 }),
      ValueError,
      /mean does nothing with initial particles/,
    ],
    "a consensus of another shape": [
      () => resumed({ consensus: zeros([1]) }),
      ShapeError,
      /resume.consensus has shape/,
    ],
    "a variance that is NaN": [() => resumed({ variance: Number.NaN }), ValueError, /resume.variance is NaN/],
    "no evaluations": [() => resumed({ evaluations: undefined }), ValueError, /resume.evaluations is undefined/],
  });
});

it("a proximal step is found where tau is immense, and within bounds and other constraints", async () => {
  const square = { perParticle: (v: Float64Array) => v[0] ** 2 };
  for (const tau of [1e10, 1e100, 1e101, 1e300]) {
    expect((await proximalStep({ objective: square }, [1], tau)).item()).toBeCloseTo(0, 8);
  }
  const boxed: CboProblem = { objective: square, bounds: [[2, 5]] };
  for (const [x, y] of [
    [3, 2],
    [9, 3],
    [99, 5],
  ]) {
    expect((await proximalStep(boxed, [x], 1)).item()).toBeCloseTo(y, 7);
  }
  const path = await proximalPath(boxed, { initial: [4.5], tau: 0.25, steps: 3 });
  for (const [k, y] of [4.5, 3, 2, 2].entries()) expect(path.data()[k]).toBeCloseTo(y, 7);
  const project = (v: Tensor) => div(v, sqrt(sum(mul(v, v), { axis: 1, keepDims: true })));
  const [, lowest] = (await proximalStep({ objective: { perParticle: (v) => v[1] }, project }, [1, 0], 1e3)).data();
  expect(lowest).toBeCloseTo(-1, 5);
});

it("bounds whose distance is no number, and fields of data that are none, are named", async () => {
  const wide = cbo({ objective: { perParticle: (v) => Math.tanh(v[0]) }, bounds: [[-1e308, 1e308]] });
  await expect(wide).rejects.toThrow(
    errorLike("ValueError", /bounds of coordinate 0 are .*further apart than numbers/),
  );
  const model = treeModel({ w: zeros([2]) }, (p, batch: TrainingData) => sum(matmul(batch.inputs, p.w)));
  const data = { inputs: zeros([4, 2]), targets: zeros([4]), weights: zeros([4]) };
  await expect(cboTrain(model, data, { epochs: 1 })).rejects.toThrow(
    errorLike("ValueError", /data: there is no option "weights"/),
  );
});

it("a proximal step of a point beside which the root of tau is nothing is found", async () => {
  const [far] = (await proximalStep({ objective: { perParticle: (v) => v[0] ** 2 } }, [1e150], 0.5)).data();
  expect(far / 5e149).toBeCloseTo(1, 7);
});

describe("what was unnamed is named:", () => {
  const one = { objective: { perParticle: (v: Float64Array) => v[0] ** 2 } };
  const data = { inputs: zeros([4, 2]), targets: zeros([4]) };
  const model = treeModel({ w: zeros([2]) }, (p, batch: TrainingData) => sum(matmul(batch.inputs, p.w)));
  const searched = (inner: object) =>
    randomSearch(problem, { resume: { iterations: 1, history: [], inner: inner as any }, maxIterations: 2 });
  rejects({
    "arrays as data": [
      () => cboTrain(model, { inputs: [[1, 2]], targets: [1] } as any),
      ValueError,
      /cboTrain: data.inputs is no tensor; make it with tensor/,
    ],
    "options of a training that are null": [() => cboTrain(model, data, null as any), ValueError, /options are null/],
    "a loss that is none": [
      () => cboTrain({ parameters: 2, loss: 3 } as any, data),
      ValueError,
      /model.loss is 3; give a function/,
    ],
    "a loss that gives nothing": [
      () => cboTrain({ parameters: 2, loss: () => undefined } as any, data),
      ShapeError,
      /loss returned no tensor for 10 particles/,
    ],
    "a training of another dtype": [
      async () =>
        cboTrain(model, data, { dtype: "float64", resume: (await cboTrain(model, data, { epochs: 1 })).state }),
      DTypeError,
      /resume.particles are in float32; give dtype: "float32"/,
    ],
    "a template of numbers": [
      () => treeModel({ w: 3 }, () => zeros([])),
      ValueError,
      /template must be a tree of tensors/,
    ],
    "parameters of another model": [
      () => model.toVector({ w: zeros([3]) }),
      ShapeError,
      /parameters have 1 tensors of shapes \[3\]; the model has \[2\]/,
    ],
    "a project that is none": [
      () => cbo({ ...one, project: null as any }, { mean: [1] }),
      ValueError,
      /project is null/,
    ],
    "a mean that is a text": [() => cbo(problem, { mean: "a" as any }), DTypeError, /cbo: mean cannot be read/],
    "bounds that hold null": [
      () => cbo({ ...one, bounds: [[null, 1]] as any }),
      DTypeError,
      /cbo: bounds cannot be read: .* not null/,
    ],
    "a concurrency between integers": [
      () => cbo({ objective: { perParticle: async () => 1, concurrency: 1.5 }, dimension: 1 }),
      ValueError,
      /concurrency is 1.5/,
    ],
    "energies of nobody": [() => consensusPoint([], zeros([0, 2]), 1), ValueError, /there are no particles/],
    "a gradient of two fields": [
      () => gradientDescent(one, { initial: [1], gradient: { spacing: 1, order: 4 } as any }),
      ValueError,
      /gradient: there is no option "order"/,
    ],
    "a hop whose gradient is null": [
      () => hopGradient(one, [1], { width: 1, alpha: 1, gradient: null as any }),
      ValueError,
      /gradient is null/,
    ],
    "a spacing that rounding swallows": [
      () => gradientDescent(one, { initial: [1e20], gradient: { spacing: 1e-5 } }),
      ValueError,
      /gradient.spacing is 0.00001, which changes nothing beside a coordinate of 100000000000000000000/,
    ],
    "a descent from NaN": [
      () =>
        gradientDescent(one, {
          initial: [1],
          resume: { iterations: 1, history: [], inner: { x: Float64Array.of(Number.NaN) } },
        }),
      ValueError,
      /resume.x holds NaN/,
    ],
    "a search of another problem": [
      () => searched({ x: zeros([3]), objective: 1 }),
      ShapeError,
      /resume.x has shape \[3\]/,
    ],
    "a search that found NaN": [
      () => searched({ x: zeros([2]), objective: Number.NaN }),
      ValueError,
      /resume.objective is NaN/,
    ],
    "a path that was not recorded": [
      async () =>
        cbo(problem, { resume: (await cbo(problem, { maxIterations: 2, recordPath: false })).state, maxIterations: 3 }),
      ValueError,
      /resume.history\[0\] has no consensus of 2 coordinates; go on with recordPath: false/,
    ],
  });
});
