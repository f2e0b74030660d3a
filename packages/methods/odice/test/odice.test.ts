import { loadModel, onnxRuntime } from "@offprint/onnx-runtime";
import { runConformance } from "@offprint/solvers/conformance";
import {
  grad,
  mean,
  random,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  tree,
  zeros,
} from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf, numericalGradient, readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  behaviourCloning,
  bestEpisodes,
  conjugate,
  conjugateSlope,
  episodesOf,
  fitIql,
  fitOdice,
  fourierFeatures,
  gaussianNll,
  loadPolicy,
  normalizedScore,
  type OfflineBatch,
  offlineDataset,
  orthogonalGradient,
  policyNetwork,
  policyWeight,
  qlearningDataset,
  ratioWeight,
  scaledRewards,
  solveTabularDice,
  type TabularTransition,
  type ValueSettings,
  valueGradients,
  valueNetwork,
} from "../src/index.js";
import { treeDot } from "../src/orthogonal-gradient.js";

const rng = random.rng("odice");
const normal = (shape: number[]) => rng.normal(shape, { dtype: "float64" });
const size = 60;
const arrays = {
  observations: normal([size, 3]),
  nextObservations: normal([size, 3]),
  actions: rng.uniform([size, 2], { low: -1, high: 1, dtype: "float64" }),
  rewards: normal([size]),
  terminals: Array.from({ length: size }, (_, i) => (i % 7 === 3 ? 1 : 0)),
};
const dataset = offlineDataset(arrays);
/** Trees of networks hold nothing in the place of activations. */
const expectTrees = (found: unknown, expected: unknown, tolerance: number) =>
  expectClose(tree.leaves<Tensor>(found).filter(Boolean), tree.leaves<Tensor>(expected).filter(Boolean), tolerance);
const small = {
  value: { hidden: [8], layerNorm: false, twin: false },
  policy: { hidden: [8] },
  batchSize: 16,
} as const;

describe("divergences", () => {
  it("conjugates are suprema over w >= 0, by brute force", () => {
    for (const y of [-5, -2, -1.3, 0, 0.7, 3]) {
      const w = Array.from({ length: 40_001 }, (_, i) => i / 2000);
      const best = Math.max(...w.map((each) => y * each - (each - 1) ** 2));
      expectClose(conjugate(y), best, 1e-6);
      // Reverse Kullback-Leibler: f(w) = w log w, whose supremum is exp(y - 1).
      const entropy = Math.max(...w.map((each) => y * each - (each === 0 ? 0 : each * Math.log(each))));
      expectClose(conjugate(y, "reverseKl"), entropy, 1e-5);
    }
    expectClose(conjugate([-2, -7]), [-1, -1], 0);
  });

  it("ratios are their slopes; weights are cut off at 100", () => {
    const y = tensor([-3, -1.5, 0, 2], { dtype: "float64" });
    for (const divergence of ["pearson", "reverseKl"] as const) {
      expectClose(
        conjugateSlope(y, divergence),
        numericalGradient((x) => sum(conjugate(x, divergence)), y),
        1e-8,
      );
    }
    expectClose(policyWeight([-1, 3, 1e4]), [0, 3, 100], 0);
    expectClose(ratioWeight([-1, 3, 1e4]), [0.5, 2.5, 100], 0);
    expectClose(policyWeight([1, 1e4], "reverseKl"), [1, 100], 0);
  });
});

describe("the orthogonal gradient", () => {
  const [gF, gB] = [1, 2].map(() => ({ a: normal([3, 2]), b: normal([4]) }));

  it("leaves the part that is orthogonal", () => {
    const { combined, coefficient, cosine } = orthogonalGradient(gF, gB);
    const rest = tree.map((all: Tensor, f: Tensor) => sub(all, f), combined, gF);
    expectClose(treeDot(rest, gF).item(), 0, 1e-12);
    const norm = (x: object) => Math.sqrt(treeDot(x, x).item());
    expectClose(cosine.item(), treeDot(gF, gB).item() / (norm(gF) * norm(gB)), 1e-12);
    expectClose(coefficient.item(), treeDot(gF, gB).item() / norm(gF) ** 2, 1e-12);
  });

  it("of nothing is the other gradient", () => {
    const none = { a: gF.a.mul(0), b: gF.b.mul(0) };
    const { combined, coefficient, cosine } = orthogonalGradient(none, gB);
    expect([coefficient.item(), cosine.item()]).toEqual([0, 0]);
    expectClose(combined.a, gB.a, 0);
    expect(() => orthogonalGradient(gF, { a: gF.b, b: gF.b })).toThrow(/same shapes/);
  });
});

describe("gradients of the value", () => {
  const network = valueNetwork({ inputs: 3, hidden: [6], layerNorm: true, twin: false });
  const twins = valueNetwork({ inputs: 3, hidden: [6], layerNorm: true });
  const wide: OfflineBatch = offlineDataset(arrays, "float64");
  const settings: ValueSettings = { type: "orthogonal", divergence: "pearson", lambda: 0.4, eta: 0.7, discount: 0.9 };

  for (const net of [network, twins]) {
    const [params, target] = [net.init(rng, "float64"), net.init(rng, "float64")];
    const of = (changes: Partial<ValueSettings>, batch = wide) =>
      valueGradients((p: typeof params, x: Tensor) => net.apply(p, x), params, target, batch, {
        ...settings,
        ...changes,
      });
    const name = net === twins ? "of twins" : "of one network";

    it(`with eta = 0 are the semi-gradient, ${name}`, () => {
      expectTrees(of({ eta: 0 }).total, of({ type: "semi" }).total, 1e-15);
    });

    it(`true ones are those of the loss, ${name}`, () => {
      const loss = (p: typeof params) => {
        const going = sub(1, wide.terminals).mul(settings.discount);
        const y = wide.rewards.add(going.mul(net.apply(p, wide.nextObservations))).sub(net.apply(p, wide.observations));
        return mean(net.apply(p, wide.observations))
          .mul(0.6)
          .add(mean(conjugate(y)).mul(0.4));
      };
      expectTrees(of({ type: "true" }).total, grad(loss)(params), 1e-12);
    });

    it(`forward and backward parts are those of their losses, ${name}`, () => {
      const made = of({});
      const bar = (x: Tensor) => {
        const values = net.apply(target, x);
        return values.rank === 2 ? values.min(0) : values;
      };
      const going = sub(1, wide.terminals).mul(settings.discount);
      const forward = (p: typeof params) =>
        mean(
          conjugate(wide.rewards.add(going.mul(bar(wide.nextObservations))).sub(net.apply(p, wide.observations))),
        ).mul(0.4);
      const backward = (p: typeof params) =>
        mean(
          conjugate(wide.rewards.add(going.mul(net.apply(p, wide.nextObservations))).sub(bar(wide.observations))),
        ).mul(0.28);
      expectTrees(made.gF, grad(forward)(params), 1e-12);
      expectTrees(made.gB, grad(backward)(params), 1e-12);
    });

    it(`what comes after an end has no influence, ${name}`, () => {
      const ends = { ...wide, terminals: wide.terminals.mul(0).add(1) };
      const other = { ...ends, nextObservations: wide.nextObservations.mul(5) };
      for (const type of ["orthogonal", "true", "semi"] as const) {
        expectTrees(of({ type }, ends).total, of({ type }, other).total, 0);
        expect(Math.max(...tree.leaves<Tensor>(of({ type }, ends).gB).map((g) => g.abs().max().item()))).toBe(0);
      }
    });
  }

  it("twins have two residuals each, and one target", () => {
    const params = twins.init(rng, "float64");
    const made = valueGradients((p: typeof params, x: Tensor) => twins.apply(p, x), params, params, wide, settings);
    expect([made.forwardResidual.shape, made.values.shape]).toEqual([
      [2, size],
      [2, size],
    ]);
    const least = twins.apply(params, wide.nextObservations).min(0);
    const expected = wide.rewards.add(sub(1, wide.terminals).mul(0.9).mul(least)).sub(made.values.slice([1]));
    expectClose(made.forwardResidual.slice([1]), expected, 1e-12);
  });
});

describe("an update", () => {
  it("moves the target by its rate, and the policy along weighted log-likelihoods", async () => {
    const options = { ...small, steps: 1, targetRate: 0.3, seed: 5, recordEvery: 1 } as const;
    const start = await fitOdice(dataset, { ...options, steps: 0 });
    const one = await fitOdice(dataset, options);
    const expected = tree.map(
      (old: Tensor, now: Tensor) => old.mul(0.7).add(now.mul(0.3)),
      start.params.target,
      one.params.value,
    );
    expectTrees(one.params.target, expected, 1e-6);
    expect(one.history[0].figures).toMatchObject({ positiveShare: expect.any(Number), cosine: expect.any(Number) });
    expect(one.history[0].figures["featureSimilarity"]).toBeLessThanOrEqual(1 + 1e-6);
  });

  it("the density is that of a normal distribution", () => {
    const [m, log, a] = [normal([3, 2]), normal([2]), normal([3, 2])];
    const value = gaussianNll(m, log, a).data();
    for (let i = 0; i < 3; i++) {
      let total = 0;
      for (let j = 0; j < 2; j++) {
        const s = Math.exp(log.data()[j]);
        total -= Math.log(
          Math.exp(-0.5 * ((a.data()[2 * i + j] - m.data()[2 * i + j]) / s) ** 2) / (s * Math.sqrt(2 * Math.PI)),
        );
      }
      expectClose(value[i], total, 1e-12);
    }
    expectClose(gaussianNll(m, tensor([9, -9]), a), gaussianNll(m, tensor([2, -5]), a), 1e-5);
  });

  it("other networks, divergences and weights learn as well", async () => {
    const features = fourierFeatures(random.rng(1), { inputs: 3, count: 10 });
    for (const options of [
      { value: valueNetwork({ inputs: 3, hidden: [5], features, featureCount: 10 }) },
      { divergence: "reverseKl", weights: "ratio" },
      { type: "true", weights: "ratio" },
      { normalize: true, tanhMean: true, policy: policyNetwork({ inputs: 3, outputs: 2, hidden: [4] }) },
    ] as const) {
      const result = await fitOdice(dataset, { ...small, steps: 3, ...options } as never);
      expect(result.policy.act(arrays.observations).shape).toEqual([size, 2]);
      expect(result.value(arrays.observations).shape).toEqual([size]);
    }
  });
});

describe("policies", () => {
  it("are the same for standardised observations of any unit, also where some never change", async () => {
    const actions = async (unit: number) => {
      const observations = (x: TensorLike) =>
        tensor(x, { dtype: "float64" })
          .mul([unit, unit, 0])
          .add([0, 0, 3 * unit]);
      const scaled = offlineDataset({
        ...arrays,
        observations: observations(arrays.observations),
        nextObservations: observations(arrays.nextObservations),
      });
      const { policy } = await fitOdice(scaled, { ...small, steps: 3, normalize: true });
      return policy.act(observations(arrays.observations));
    };
    const usual = await actions(1);
    for (const unit of [1e-6, 1e6]) expectClose(await actions(unit), usual, 1e-4);
  });

  it("are files: ONNX runs as they act, safetensors reads back", async () => {
    const { policy } = await fitOdice(dataset, {
      ...small,
      steps: 5,
      normalize: true,
      tanhMean: true,
      policyLearningRate: 0.05,
    });
    const model = await loadModel(policy.toOnnx());
    const x = arrays.observations.cast("float32");
    const { y } = await model.run({ x });
    expectClose(y, policy.act(x), 1e-5);
    const network = policyNetwork({ inputs: 3, outputs: 2, hidden: [8] });
    const scaling = { centre: tensor([0, 0, 0]), scale: tensor([1, 1, 1]) };
    const again = loadPolicy(policy.save(), network, policy.params as never, { tanhMean: true, scaling });
    expectClose(again.act(x), policy.act(x), 1e-7);
    const drawn = policy.act(x, { rng: random.rng(1) });
    expect(Math.max(...drawn.sub(policy.act(x)).abs().data())).toBeGreaterThan(0.1);
    expect(() => policy.act([1, 2, 3])).toThrow(/\[batch, observation\]/);
    const own = { init: () => tensor([1]), apply: (p: Tensor, o: Tensor) => o.slice([null, { stop: 2 }]).mul(p) };
    const custom = await behaviourCloning(dataset, { steps: 1, policy: own });
    expect(() => custom.policy.toOnnx()).toThrow(/write policy.actions/);
  });
});

describe("tables", () => {
  interface Case {
    states: number;
    lam: number;
    gamma: number;
    moves: [number, number, number, boolean][];
    ratios: number[];
    value: number;
  }
  it("have the optima of cvxopt's quadratic programme", async () => {
    for (const { states, lam, gamma, moves, ratios, value } of readFixture<Case[]>(import.meta.url, "dual.json")) {
      const transitions = moves.map(([state, next, reward, terminal]) => ({ state, next, reward, terminal }));
      const found = await solveTabularDice({ states, transitions }, { lambda: lam, discount: gamma });
      expect(found.status).toBe("converged");
      expectClose(found.ratios, ratios, 1e-6);
      expectClose(found.objective, value, 1e-8);
      expect(Math.abs(found.gap)).toBeLessThan(1e-9);
      // Flow constraints summed over states.
      const share = 1 / moves.length;
      const flow = moves.reduce((s, [, , , done], i) => s + share * found.ratios[i] * (1 - (done ? 0 : gamma)), 0);
      expectClose(lam * flow, 1 - lam, 1e-10);
    }
  });

  it("the semi-gradient's fixed point has mean ratio (1 - lambda) / lambda", () => {
    // With a constant in V that is free, its gradient is 0 where (1 - lambda) = lambda E w*.
    const batch: OfflineBatch = {
      observations: tensor(new Int32Array([0, 1, 2])),
      nextObservations: tensor(new Int32Array([1, 2, 0])),
      rewards: tensor([0.3, -0.2, 0.5], { dtype: "float64" }),
      terminals: tensor([0, 0, 1], { dtype: "float64" }),
      actions: tensor([[0], [0], [0]]),
    };
    const settings: ValueSettings = { type: "semi", divergence: "pearson", lambda: 0.3, eta: 1, discount: 0.9 };
    let v = tensor([0, 0, 0], { dtype: "float64" });
    const made = (x: Tensor) => valueGradients((p: Tensor, s: Tensor) => take(p, s), x, x, batch, settings);
    for (let k = 0; k < 3000; k++) v = v.sub(made(v).total.mul(2));
    expectClose(mean(conjugateSlope(made(v).forwardResidual)).item(), 0.7 / 0.3, 1e-6);
  });

  it("chance is averaged over where actions are told, so that it is not taken for luck", async () => {
    const coin: TabularTransition[] = [0, 1].map((reward) => ({
      state: 0,
      action: 0,
      next: 0,
      reward: 4 * reward,
      terminal: true,
    }));
    const safe: TabularTransition = { state: 0, action: 1, next: 0, reward: 2, terminal: true, count: 2 };
    const problem = { states: 1, transitions: [...coin, safe] };
    const averaged = await solveTabularDice(problem, { average: true });
    expectClose(averaged.ratios, [1, 1, 1], 1e-9);
    const lucky = await solveTabularDice(problem);
    expect(lucky.ratios[1]).toBeGreaterThan(lucky.ratios[2]);
  });

  it("are found where rewards are large, as far as rounding lets values tell ratios", async () => {
    const solved = (scale: number) =>
      solveTabularDice({
        states: 2,
        transitions: [
          { state: 0, next: 0, reward: 0.1 * scale },
          { state: 0, next: 1, reward: 0 },
          { state: 1, next: 0, reward: scale },
          { state: 1, next: 1, reward: -scale, terminal: true },
        ],
      });
    const { status, iterations, ratios, objective, gap, flowResidual, x } = await solved(1e6);
    expect(status).toBe("converged");
    expect(iterations).toBeLessThan(20);
    // Of arithmetic with sixty digits. The gap is the sum of values times what is left of their flows.
    expect(Math.abs(objective / 4999619.499999996 - 1)).toBeLessThan(1e-14);
    expectClose(ratios, [0, 40, 40, 0], 1e-8);
    expect(Math.abs(gap)).toBeLessThan(2 * flowResidual * Math.max(...x));
    expect((await solved(1e100)).status).toBe("limit");
  });

  it("of other things than transitions are refused by name", async () => {
    const one = { state: 0, next: 0, reward: 1, terminal: true };
    for (const [problem, message] of [
      [{ states: 1 }, /give a list of one at least/],
      [{ states: 1, transitions: [null] }, /transitions\[0\]/],
      [{ states: 1, transitions: [{ ...one, terminal: "false" }] }, /transitions\[0\].terminal is "false"/],
      [{ states: 1, transitions: [{ ...one, rewrad: 1 }] }, /did you mean "reward"/],
      [{ states: 1, transitions: [one, { ...one, count: 1e308 }, { ...one, count: 1e308 }] }, /too large to add up/],
      [{ states: 1e7, transitions: [one] }, /states is 10000000/],
    ] as const) {
      expect(await failureOf(() => solveTabularDice(problem as never))).toEqual(errorLike("ValueError", message));
    }
    for (const options of [{ lambda: "0.5" }, { discount: "0.5" }, { average: "no" }]) {
      expect(await failureOf(() => solveTabularDice({ states: 1, transitions: [one] }, options as never))).toEqual(
        errorLike("ValueError", new RegExp(Object.keys(options)[0])),
      );
    }
  });

  it("without an optimum are refused; what was never left may be entered", async () => {
    const trap = [
      { state: 0, next: 1, reward: 0 },
      { state: 1, next: 2, reward: 0 },
    ];
    expect(await failureOf(() => solveTabularDice({ states: 3, transitions: trap }))).toEqual(
      errorLike("ValueError", /state 0 can only be left into states that nothing was logged from/),
    );
    const around = [
      { state: 0, next: 0, reward: -1 },
      { state: 0, next: 1, reward: 5 },
    ];
    const { ratios } = await solveTabularDice({ states: 2, transitions: around });
    expect(ratios[1]).toBeLessThan(1e-6);
    for (const [options, message] of [
      [{ lambda: 1 }, /lambda is 1/],
      [{ discount: 1 }, /discount is 1/],
      [{ average: true }, /needs the action/],
    ] as const) {
      expect(await failureOf(() => solveTabularDice({ states: 2, transitions: around }, options))).toEqual(
        errorLike("ValueError", message),
      );
    }
  });
});

describe("data", () => {
  it("are standardised in any unit that float32 holds", async () => {
    const trained = async (unit: number) => {
      const scaled = (x: Tensor) => x.cast("float64").mul(unit);
      const { observations, nextObservations } = arrays;
      const own = offlineDataset({
        ...arrays,
        observations: scaled(observations),
        nextObservations: scaled(nextObservations),
      });
      const shape = { value: { hidden: [8] }, policy: { hidden: [8] } };
      const { history } = await fitOdice(own, { steps: 3, recordEvery: 1, normalize: true, batchSize: 16, ...shape });
      return Object.values(history[2].figures);
    };
    const usual = await trained(1);
    expectClose(await trained(1e-30), usual, 1e-4);
    expectClose(await trained(1e30), usual, 1e-4);
  });

  it("that were not read, and options of other types, are refused by name", async () => {
    const shape = { steps: 1, value: { hidden: [8] }, policy: { hidden: [8] } };
    for (const [given, options, message] of [
      [arrays, {}, /dataset is none; give what offlineDataset/],
      [dataset, { evaluate: 3 }, /evaluate is 3; give a function/],
      [dataset, { evaluate: () => ({ reward: 1 }) }, /evaluate gave an object; it must give a number/],
      [dataset, { onWarning: 3 }, /onWarning is 3; give a function/],
      [dataset, { value: 3 }, /value is 3/],
      [dataset, { policy: null }, /policy is null/],
      [dataset, { value: { hidden: "8" } }, /hidden is 8; give a list/],
      [dataset, { value: { twin: 3 } }, /twin is 3/],
    ] as const) {
      expect(await failureOf(() => fitOdice(given as never, { ...shape, ...options } as never))).toEqual(
        errorLike("ValueError", message),
      );
    }
    for (const name of ["expectile", "targetRate"]) {
      expect(await failureOf(() => fitIql(dataset, { steps: 1, [name]: "0.5" } as never))).toEqual(
        errorLike("ValueError", new RegExp(`${name} is "0.5"`)),
      );
    }
    expect(() => scaledRewards({} as never, "returns")).toThrow(/dataset is none/);
    expect(() => normalizedScore("constructor", 3)).toThrow(/has no reference/);
    expect(() => normalizedScore("hopper", "3" as never)).toThrow(/must be a finite number/);
    expect(() => conjugate([1], "x" as never)).toThrow(/divergence is "x"/);
  });

  it("are refused where they do not fit", async () => {
    const fails = async (changes: object, kind: string, message: RegExp) =>
      expect(await failureOf(() => offlineDataset({ ...arrays, ...changes }))).toEqual(errorLike(kind, message));
    await fails({ rewards: normal([3]) }, "ShapeError", /observations has shape/);
    await fails({ nextObservations: normal([size, 2]) }, "ShapeError", /nextObservations/);
    await fails({ terminals: new Array(size).fill(0.5) }, "ValueError", /terminals must be 0 and 1/);
    await fails({ rewards: new Array(size).fill(Number.NaN) }, "ValueError", /rewards/);
    await fails({ rewards: new Float64Array(0) }, "ValueError", /no transitions/);
    await fails({ reward: arrays.rewards }, "ValueError", /did you mean "rewards"/);
    expect(offlineDataset({ ...arrays, actions: arrays.actions.mul(3) }).warnings[0]).toMatch(/actions reach/);
    expect(dataset.warnings).toEqual([]);
  });

  it("of steps are refused where rows do not fit or flags are none, by name", () => {
    const steps = {
      observations: zeros([4, 2]),
      actions: zeros([4, 1]),
      rewards: [1, 2, 3, 4],
      terminals: [0, 0, 1, 0],
    };
    const of = (change: object) => () => qlearningDataset({ ...steps, ...change } as never);
    expect(of({ actions: zeros([5, 1]) })).toThrow(
      errorLike("ShapeError", /actions has shape \[5,1\] and there are 4 rewards/),
    );
    expect(of({ observations: zeros([3, 2]) })).toThrow(/observations has shape \[3,2\]/);
    expect(of({ terminals: [0, 0] })).toThrow(errorLike("ShapeError", /terminals has shape \[2\]/));
    expect(of({ terminals: zeros([4, 1]) })).toThrow(/terminals has shape \[4,1\]; it must be \[4\]/);
    expect(of({ terminals: [0, 0.5, 1, 0] })).toThrow(errorLike("ValueError", /terminals must be 0 and 1/));
    expect(of({ timeouts: [1, 1, 1, 1] })).toThrow(/every step was cut off/);
    expect(of({ terminals: undefined })).toThrow(/there is no terminals/);
  });

  it("of steps one after the other leave out what is not known", () => {
    const steps = {
      observations: [[0], [1], [2], [3], [4]],
      actions: [[0], [0], [0], [0], [0]],
      rewards: [1, 2, 3, 4, 5],
      terminals: [0, 1, 0, 0, 0],
      timeouts: [0, 0, 0, 1, 0],
    };
    const { timeouts: _, ...untimed } = steps;
    expectClose(qlearningDataset(steps).rewards, [1, 2, 3], 0);
    expectClose(qlearningDataset(steps).terminals, [0, 1, 0], 0);
    expectClose(qlearningDataset(steps, { terminateOnEnd: true }).rewards, [1, 2, 3, 4], 0);
    expectClose(qlearningDataset(untimed, { maxEpisodeSteps: 2 }).rewards, [1, 2, 3], 0);
    expectClose(qlearningDataset(untimed).rewards, [1, 2, 3, 4], 0);
    const nextObservations = [[1], [9], [3], [7], [5]];
    const known = qlearningDataset({ ...steps, nextObservations });
    expectClose(known.nextObservations, nextObservations, 0);
    expectClose([known.terminals, known.timeouts], [steps.terminals, steps.timeouts], 0);
  });

  it("of steps refuse options that the steps leave nothing to say", () => {
    const steps = { observations: [[0], [1]], actions: [[0], [0]], rewards: [1, 2], terminals: [0, 0] };
    const known = { ...steps, nextObservations: [[1], [2]] };
    const idle = (name: string) => errorLike("ValueError", new RegExp(`${name} would do nothing`));
    expect(() => qlearningDataset(known, { terminateOnEnd: true })).toThrow(idle("terminateOnEnd"));
    expect(() => qlearningDataset(known, { maxEpisodeSteps: 2 })).toThrow(idle("maxEpisodeSteps"));
    expect(() => qlearningDataset({ ...steps, timeouts: [0, 0] }, { maxEpisodeSteps: 2 })).toThrow(
      idle("maxEpisodeSteps"),
    );
  });

  it("of any number of episodes have scaled returns, and none where returns differ by rounding alone", () => {
    const rows = 200_000;
    const many = offlineDataset({
      observations: zeros([rows, 1]),
      nextObservations: zeros([rows, 1]),
      actions: zeros([rows, 1]),
      rewards: Float32Array.from({ length: rows }, (_, i) => i % 3),
      terminals: new Float32Array(rows).fill(1),
    });
    expectClose(scaledRewards(many, "returns").rewards.slice([{ stop: 3 }]), [0, 500, 1000], 0);
    const walk = [0.1, 0.7, 0.2, 0.7, 0.2, 0.1];
    const equal = offlineDataset(
      {
        observations: zeros([6, 1]),
        nextObservations: zeros([6, 1]),
        actions: zeros([6, 1]),
        rewards: walk,
        terminals: [0, 0, 1, 0, 0, 1],
      },
      "float64",
    );
    expect(() => scaledRewards(equal, "returns")).toThrow(/all episodes have the same return/);
  });

  it("have episodes, returns and scores", () => {
    const walk = offlineDataset({
      observations: [[0], [1], [5], [6], [7]],
      nextObservations: [[1], [2], [6], [7], [8]],
      actions: [[0], [0], [0], [0], [0]],
      rewards: [1, 1, 0, 0, 9],
      terminals: [0, 0, 0, 1, 0],
    });
    expect(episodesOf(walk)).toEqual([
      [0, 1],
      [2, 3],
      [4, 4],
    ]);
    expectClose(bestEpisodes(walk, 0.34).rewards, [9], 0);
    expectClose(
      scaledRewards(walk, "returns").rewards,
      [1, 1, 0, 0, 9].map((r) => (r * 1000) / 9),
      1e-4,
    );
    expectClose(scaledRewards(walk, "maze").rewards.slice([{ stop: 3 }]), [0, 0, -3], 0);
    expectClose(scaledRewards(walk, 2).rewards, [2, 2, 0, 0, 18], 0);
    expect(normalizedScore("antmaze-large", 0.5)).toBe(50);
    expect(() => normalizedScore("ant", 1)).toThrow(/hopper/);
    expect(() => bestEpisodes(walk, 0)).toThrow(/share is 0/);
    expect(() => scaledRewards(walk, 0)).toThrow(/factor is 0/);
  });
});

it("says when no transition counts", async () => {
  const poor = scaledRewards(dataset, 1e-6);
  const told: string[] = [];
  const options = { ...small, steps: 220, lambda: 0.95, valueLearningRate: 0.02, recordEvery: 50 };
  const result = await fitOdice(offlineDataset({ ...arrays, rewards: poor.rewards.sub(3) }), {
    ...options,
    onWarning: (message) => told.push(message),
  });
  expect(result.history.length).toBe(4);
  expect(told.length).toBeLessThanOrEqual(1);
  expect(result.warnings).toEqual(told);
});

it("evaluates where it is asked to", async () => {
  const seen: number[] = [];
  const result = await behaviourCloning(dataset, {
    ...{ steps: 5, batchSize: 8, policy: { hidden: [4] }, evaluateEvery: 2, recordEvery: 100 },
    evaluate: (policy) => {
      seen.push(policy.act(arrays.observations).size);
      return seen.length;
    },
  });
  expect(result.history.map(({ step, evaluation }) => [step, evaluation])).toEqual([
    [2, 1],
    [4, 2],
    [5, 3],
  ]);
});

it("learns with the update compiled by a backend as with tensor-core's compiler", async () => {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  const options = { ...small, steps: 6, recordEvery: 2 };
  const [own, other] = [await fitOdice(dataset, options), await fitOdice(dataset, { ...options, backend })];
  await backend.release();
  expectTrees(other.params, own.params, 1e-6);
  expect(other.history.map(({ step }) => step)).toEqual([2, 4, 6]);
  for (const [i, { figures }] of other.history.entries()) {
    for (const [name, value] of Object.entries(figures)) {
      expect(value, name).toBeCloseTo(own.history[i].figures[name], 5);
    }
  }
});

const trainers = { fitOdice, fitIql, behaviourCloning };
for (const [name, fit] of Object.entries(trainers)) {
  const shape = name === "fitOdice" ? { value: small.value } : name === "fitIql" ? { hidden: [8] } : {};
  runConformance(
    name,
    {
      run: (options) =>
        (fit as unknown as typeof behaviourCloning)(dataset, {
          batchSize: 8,
          policy: { hidden: [4] },
          recordEvery: 1,
          ...shape,
          ...options,
        } as never),
      limit: "steps",
      short: 6,
      endless: { steps: 1e7 },
      seeded: true,
      invalid: [
        { batchSize: 0 },
        { policyLearningRate: 0 },
        { weightDecay: -1 },
        ...(name === "behaviourCloning" ? [{ share: 0 }] : [{ discount: 1 }, { targetRate: 0 }]),
        ...(name === "fitOdice" ? [{ lambda: 0 }, { eta: -1 }, { type: "both" }, { divergence: "kl" }] : []),
        ...(name === "fitIql" ? [{ expectile: 0 }, { expectile: 1 }, { inverseTemperature: 0 }] : []),
      ],
      nonFinite: [() => offlineDataset({ ...arrays, observations: normal([size, 3]).mul(Number.NaN) })],
      outcome: ({ params, history, status, steps }) => ({ params, history, status, steps }),
    },
    { describe, it, expect },
  );
}

const chain: TabularTransition[] = Array.from({ length: 40 }, (_, i) => ({
  state: i % 10,
  next: (i * 7) % 10,
  reward: Math.sin(i),
  terminal: i % 9 === 0,
}));
runConformance(
  "solveTabularDice",
  {
    run: (options) =>
      solveTabularDice({ states: 10, transitions: chain }, { tolerance: Number.MIN_VALUE, ...options } as never),
    limit: "maxIterations",
    short: 4,
    endless: { maxIterations: 1e9 },
    seeded: false,
    invalid: [{ lambda: 2 }, { discount: 1 }, { tolerance: 0 }],
    nonFinite: [() => solveTabularDice({ states: 1, transitions: [{ state: 0, next: 0, reward: Number.NaN }] })],
  },
  { describe, it, expect },
);
