import { onnxRuntime, toOnnx } from "@offprint/onnx-runtime";
import { matmul, random, stack, type Tensor, type TensorLike, tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { classes, friedman } from "../claims/problems.js";
import {
  additiveDecision,
  applyNetwork,
  boostHead,
  boostStumps,
  decisionValues,
  type FitOptions,
  fitClassifier,
  fitRegressor,
  gridSearch,
  loadModel,
  losses,
  nestedGridSearch,
  networkLogits,
  predictClasses,
  predictNumbers,
  predictProbabilities,
  saveModel,
  stagedScore,
  toNetwork,
  trainDeep,
  trainWhole,
} from "../src/index.js";

const small: FitOptions = { totalUnits: 12, unitsPerStep: 3, maxIterations: 30, seed: 4 };
const numbers = friedman(0, 120);
const wines = classes("wine", 0);
const tumours = classes("breast cancer", 0);

function gap(a: Tensor, b: Tensor): number {
  const [x, y] = [a.data(), b.data()];
  expect(a.shape).toEqual(b.shape);
  let most = 0;
  for (let i = 0; i < x.length; i++) most = Math.max(most, Math.abs(x[i] - y[i]));
  return most;
}

describe("boosting", () => {
  it("gives the same model for the same seed, and another for another", async () => {
    const learn = async (seed: number) =>
      saveModel((await fitRegressor(numbers.inputs, numbers.targets, { ...small, seed })).model);
    expect(await learn(1)).toEqual(await learn(1));
    expect(await learn(1)).not.toEqual(await learn(2));
  });

  it("has shorter runs as prefixes of longer ones, and resumes to the same bits", async () => {
    const learn = (options: FitOptions) => fitRegressor(numbers.inputs, numbers.targets, { ...small, ...options });
    const whole = await learn({});
    const half = await learn({ totalUnits: 6 });
    expect(half.model.blocks).toEqual(whole.model.blocks.slice(0, 2));
    const again = await learn({ resume: tree.fromJson(tree.toJson(half.state)) });
    expect(saveModel(again.model)).toEqual(saveModel(whole.model));
    expect(again.history).toEqual(whole.history);
  });

  it("lowers the training loss and tells it", async () => {
    const { history, model, status, initialObjective, objective, iterations } = await fitClassifier(
      wines.inputs,
      wines.targets,
      { ...small, subsample: 1 },
    );
    expect([status, iterations]).toEqual(["limit", 4]);
    expect(initialObjective).toBeCloseTo(Math.log(3), 12);
    let before = initialObjective;
    for (const [t, record] of history.entries()) {
      expect(record.block).toBe(t + 1);
      expect(record.objective).toBeLessThan(before);
      expect(record.step).toBe(model.blocks[t].step);
      expect(record.solverIterations).toBeGreaterThan(0);
      before = record.objective;
    }
    expect(objective).toBe(before);
    expect(model.classes).toEqual([0, 1, 2]);
  });

  it("learns numbers alike in any unit, each output in its own", async () => {
    const y = numbers.targets.data() as Float64Array;
    const plain = predictNumbers((await fitRegressor(numbers.inputs, y, small)).model, numbers.inputs).data();
    for (const unit of [2 ** -400, 2 ** -40, 2 ** 40, 2 ** 400]) {
      const scaled = y.map((value) => value * unit);
      const found = predictNumbers((await fitRegressor(numbers.inputs, scaled, small)).model, numbers.inputs).data();
      expect(gap(tensor(found.map((value: number) => value / unit)), tensor(plain))).toBeLessThan(1e-9);
    }
    const { model } = await fitRegressor(numbers.inputs, y, small);
    const tiny = { ...model, initial: model.initial.map((v) => v * 2 ** -900) };
    tiny.blocks = model.blocks.map((block) => ({ ...block, step: block.step * 2 ** -900 }));
    const [own, there] = [
      stagedScore(model, numbers.inputs, y),
      stagedScore(
        tiny,
        numbers.inputs,
        y.map((v) => v * 2 ** -900),
      ),
    ];
    expect(gap(tensor(there), tensor(own))).toBeLessThan(1e-12);
    const far = numbers.inputs.mul(2 ** 900);
    expect((await fitRegressor(far, y, small)).model.blocks).toEqual(model.blocks);
    const both = tensor(Float64Array.from({ length: 2 * y.length }, (_, i) => y[i >> 1] * (i % 2 === 0 ? 1 : 2 ** 30)));
    const pairs = both.reshape([y.length, 2]);
    const score = stagedScore((await fitRegressor(numbers.inputs, pairs, small)).model, numbers.inputs, pairs).at(-1);
    expect(score).toBeGreaterThan(0.3);
  });

  it("refuses a state that was fitted to other targets", async () => {
    const classes = ["a", "b", "c"];
    const of = (shift: number) => Array.from(wines.targets.data(), (k: number) => classes[(k + shift) % 3]);
    const { state } = await fitClassifier(wines.inputs, of(0), small);
    const more = { ...small, totalUnits: 15, resume: state };
    await expect(fitClassifier(wines.inputs, of(1), more)).rejects.toThrow(/other targets \(its objective differs\)/);
    const renamed = of(0).map((name) => `${name}!`);
    await expect(fitClassifier(wines.inputs, renamed, more)).rejects.toThrow(/other targets \(its classes differ\)/);
  });

  it("makes floor(N / J) blocks", async () => {
    const { model } = await fitRegressor(numbers.inputs, numbers.targets, {
      ...small,
      totalUnits: 11,
      unitsPerStep: 4,
    });
    expect(model.blocks).toHaveLength(2);
    expect(toNetwork(model).W1.shape).toEqual([10, 8]);
  });

  it("stays at F_0 for a step size of 0, and is done at once for a constant", async () => {
    const still = await fitRegressor(numbers.inputs, numbers.targets, { ...small, learningRate: 0 });
    const mean = numbers.targets.mean().item();
    for (const value of predictNumbers(still.model, numbers.testInputs).data()) expect(value).toBeCloseTo(mean, 12);
    const constant = await fitRegressor(numbers.inputs, new Float64Array(84).fill(7), small);
    expect(constant.status).toBe("converged");
    expect(predictNumbers(constant.model, numbers.testInputs).data()[0]).toBe(7);
  });

  it("fits five samples exactly with eight units in one step of 1", async () => {
    for (let seed = 0; seed < 3; seed++) {
      const rng = random.rng(seed);
      const x = rng.normal([5, 3], { dtype: "float64" });
      const y = rng.normal([5], { dtype: "float64" });
      const options = {
        totalUnits: 8,
        unitsPerStep: 8,
        learningRate: 1,
        alpha: 0,
        subsample: 1,
        standardize: false,
        seed,
      };
      expect((await fitRegressor(x, y, options)).objective).toBeLessThan(1e-8);
    }
  });

  it("does not depend on the order of the samples with few iterations", async () => {
    const order = random.rng(9).permutation(84).data();
    const options = { ...small, subsample: 1, maxIterations: 5 };
    const one = await fitRegressor(numbers.inputs, numbers.targets, options);
    const two = await fitRegressor(numbers.inputs.take(order), numbers.targets.take(order), options);
    expect(
      gap(predictNumbers(one.model, numbers.testInputs), predictNumbers(two.model, numbers.testInputs)),
    ).toBeLessThan(1e-10);
  });

  it("learns several outputs at once", async () => {
    const y = stack([numbers.targets, numbers.targets.mul(-2)], 1);
    const { model } = await fitRegressor(numbers.inputs, y, { ...small, totalUnits: 60, maxIterations: 60 });
    expect(predictNumbers(model, numbers.testInputs).shape).toEqual([36, 2]);
    const staged = stagedScore(model, numbers.inputs, y);
    expect(staged[0]).toBeCloseTo(0, 12);
    expect(staged[staged.length - 1]).toBeGreaterThan(0.8);
  });

  it("keeps negative steps unless asked not to", async () => {
    const contrary = { ...losses.logExponential(), step: () => -1 };
    const learn = (nonNegativeStep: boolean) =>
      fitClassifier(tumours.inputs, tumours.targets, { ...small, nonNegativeStep, loss: contrary, totalUnits: 3 });
    expect((await learn(false)).model.blocks[0].step).toBeCloseTo(-0.1, 15);
    expect((await learn(true)).model.blocks[0].step).toBe(0);
  });

  it("takes classes that are texts, in their order, and the first of equals", async () => {
    const names = Array.from(wines.targets.data(), (k) => ["red", "amber", "white"][k]);
    const { model } = await fitClassifier(wines.inputs, names, small);
    expect(model.classes).toEqual(["amber", "red", "white"]);
    const none = predictClasses(model, wines.testInputs, { keepBlocks: 0 });
    expect(new Set(none)).toEqual(new Set(["amber"]));
    const p = predictProbabilities(model, wines.testInputs);
    expect(p.shape).toEqual([wines.testTargets.size, 3]);
    for (const total of p.sum({ axis: 1 }).data()) expect(total).toBeCloseTo(1, 14);
  });

  it("gives way within a block: a long solver is interrupted, saved and gone on with", async () => {
    let looks = 0;
    const signal = Object.create(new AbortController().signal, { aborted: { get: () => ++looks > 60 } }) as AbortSignal;
    const { inputs, targets } = numbers;
    const part = await fitRegressor(inputs, targets, { ...small, signal });
    expect([part.status, part.model.blocks.length]).toEqual(["aborted", 0]);
    expect(part.state.inner.solving?.iterations).toBeGreaterThan(10);
    const rest = await fitRegressor(inputs, targets, { ...small, resume: tree.fromJson(tree.toJson(part.state)) });
    expect(saveModel(rest.model)).toEqual(saveModel((await fitRegressor(inputs, targets, small)).model));
  });

  it("reads plain arrays as float64, to learn from and to predict for", async () => {
    const times = Array.from({ length: 40 }, (_, i) => [1700000000 + i]);
    const heights = times.map(([t]) => Math.sin((t - 1700000000) / 6));
    const options = { totalUnits: 12, unitsPerStep: 3, learningRate: 0.5, subsample: 1 };
    const wide = (rows: number[][]) => tensor(rows, { dtype: "float64" });
    const { model } = await fitRegressor(times, heights, options);
    expect(stagedScore(model, times, heights).at(-1)).toBeGreaterThan(0.7);
    const same = await fitRegressor(wide(times), tensor(heights, { dtype: "float64" }), options);
    expect(saveModel(same.model)).toEqual(saveModel(model));
    expect(predictNumbers(model, times).data()).toEqual(predictNumbers(model, wide(times)).data());
  });

  it("scores what it was fitted to, in every form, and never silently as NaN", async () => {
    const x = [[0], [1], [2], [3]];
    const pairs = [
      [0, 1],
      [1, 3],
      [2, 5],
      [3, 2],
    ];
    const { model } = await fitRegressor(x, pairs, { totalUnits: 4, maxIterations: 20 });
    const staged = stagedScore(model, x, pairs);
    expect(staged).toEqual(stagedScore(model, x, tensor(pairs)));
    expect(staged[0]).toBeCloseTo(0, 12);
    expect(() => stagedScore(model, x, [[0, Number.NaN], ...pairs.slice(1)])).toThrow(/y is NaN at 1/);
    expect(() => stagedScore(model, [[Number.NaN], [1], [2], [3]], pairs)).toThrow(/x is NaN in row 0/);
    const { model: still } = await fitRegressor(x, [7, 7, 7, 7]);
    expect([...stagedScore(still, x, [7, 7, 7, 7])]).toEqual([1]);
    expect([...stagedScore(still, x, [8, 8, 8, 8])]).toEqual([0]);
  });

  it("says that the loss overflows, with the last good state", async () => {
    const overflowing = {
      ...losses.squared(),
      value: (_: Float64Array, F: Float64Array) => (F[0] === F[1] ? 1 : 1 / 0),
    };
    await expect(fitRegressor(numbers.inputs, numbers.targets, { ...small, loss: overflowing })).rejects.toMatchObject({
      name: "NonFiniteError",
      state: { iterations: 0 },
    });
  });

  it("trains with the other solvers and activations", async () => {
    for (const solver of ["adam", "sgd"] as const) {
      const { initialObjective, objective } = await fitRegressor(numbers.inputs, numbers.targets, {
        ...small,
        solver,
        activation: "tanh",
        maxIterations: 100,
        subsample: 1,
      });
      expect(objective).toBeLessThan(initialObjective);
    }
    const { initialObjective, objective } = await fitRegressor(numbers.inputs, numbers.targets, {
      ...small,
      activation: "relu",
      subsample: 1,
    });
    expect(objective).toBeLessThan(initialObjective);
  });
});

describe("the assembled network", () => {
  it("is the sum over the blocks, with the standardisation folded in or not", async () => {
    const { model } = await fitClassifier(wines.inputs, wines.targets, small);
    for (const keepBlocks of [0, 1, 3, 4]) {
      const expected = additiveDecision(model, wines.testInputs, { keepBlocks });
      expect(gap(decisionValues(model, wines.testInputs, { keepBlocks }), expected)).toBeLessThan(1e-12);
      expect(gap(networkLogits(toNetwork(model, { keepBlocks }), wines.testInputs), expected)).toBeLessThan(1e-10);
    }
  });

  it("has the probability of the second class at its one output", async () => {
    const { model } = await fitClassifier(tumours.inputs, tumours.targets, small);
    const p = predictProbabilities(model, tumours.testInputs);
    const out = applyNetwork(toNetwork(model), tumours.testInputs);
    for (let i = 0; i < out.size; i++) {
      expect(out.data()[i]).toBeCloseTo(p.data()[2 * i + 1], 10);
      const F = additiveDecision(model, tumours.testInputs).data()[i];
      expect(out.data()[i]).toBeCloseTo(1 / (1 + Math.exp(-2 * F)), 10);
    }
  });

  it("runs as an ONNX file, in both precisions", async () => {
    const backend = await onnxRuntime({ device: "cpu", threads: 1 });
    const { loadModel: openOnnx } = await import("@offprint/onnx-runtime");
    const { model } = await fitClassifier(wines.inputs, wines.targets, small);
    const network = toNetwork(model);
    const expected = applyNetwork(network, wines.testInputs);
    const rows = wines.testInputs.shape[0];
    for (const [dtype, tolerance] of [
      ["float64", 1e-10],
      ["float32", 1e-5],
    ] as const) {
      const inDtype = (x: Tensor) =>
        applyNetwork(
          {
            ...network,
            W1: network.W1.cast(dtype),
            b1: network.b1.cast(dtype),
            W2: network.W2.cast(dtype),
            b2: network.b2.cast(dtype),
          },
          x,
        );
      const opened = await openOnnx(toOnnx(inDtype, { shape: [rows, 13], dtype }), { device: "cpu" });
      const [input] = opened.inputs;
      const outputs = await opened.run({ [input.name]: wines.testInputs.cast(dtype) });
      const found = Object.values(outputs)[0] as Tensor;
      expect(gap((await found.host()).cast("float64"), expected)).toBeLessThan(tolerance);
      await opened.release();
    }
    await backend.release();
  });

  it("comes back from a file", async () => {
    const { model } = await fitClassifier(wines.inputs, wines.targets, small);
    expect(loadModel(saveModel(model))).toEqual(model);
    const empty = (await fitRegressor(numbers.inputs, new Float64Array(84), small)).model;
    expect(loadModel(saveModel(empty))).toEqual(empty);
  });
});

describe("around the method", () => {
  it("a head is boosted on the features of any body", async () => {
    const body = (x: TensorLike) => matmul(x, random.rng(1).normal([10, 6], { dtype: "float64" }));
    const boosted = await boostHead(body, "regression", numbers.inputs, numbers.targets, small);
    const features = await boosted.features(numbers.testInputs);
    const direct = applyNetwork(boosted.head(), features).reshape([36]);
    expect(gap(direct, predictNumbers(boosted.model, features))).toBeLessThan(1e-10);
    expect(boosted.head({ keepBlocks: 1 }).W1.shape).toEqual([6, 3]);
  });

  it("a grid search finds what is better on the folds", async () => {
    const options = { task: "classification", folds: 3, base: { totalUnits: 6, maxIterations: 20 }, seed: 1 } as const;
    const grid = { unitsPerStep: [2], subsample: [1], learningRate: [0, 0.3] };
    const fits: number[] = [];
    const { best, table } = await gridSearch(wines.inputs, wines.targets, {
      ...options,
      grid,
      onProgress: ({ iteration }) => void fits.push(iteration),
    });
    expect(table).toHaveLength(2);
    expect(best).toMatchObject({ learningRate: 0.3, unitsPerStep: 2, totalUnits: 6 });
    expect(fits).toEqual([1, 2, 3, 4, 5, 6]);
    const nested = await nestedGridSearch(wines.inputs, wines.targets, {
      ...options,
      grid: { ...grid, learningRate: [0.3] },
      outerFolds: 2,
    });
    expect(nested.scores).toHaveLength(2);
    expect(nested.score).toBeGreaterThan(0.8);
  });

  it("baselines learn", async () => {
    const y = numbers.targets.reshape([84, 1]);
    const score = (predicted: Tensor) => {
      const truth = numbers.targets.data();
      const mean = numbers.targets.mean().item();
      let left = 0;
      let total = 0;
      predicted.data().forEach((value: number, i: number) => {
        left += (value - truth[i]) ** 2;
        total += (truth[i] - mean) ** 2;
      });
      return 1 - left / total;
    };
    const whole = await trainWhole(numbers.inputs, y, { units: 10, maxIterations: 100 });
    expect(score(whole.predict(numbers.inputs))).toBeGreaterThan(0.8);
    expect(
      score(boostStumps(numbers.inputs, numbers.targets.data() as Float64Array, losses.squared())(numbers.inputs)),
    ).toBeGreaterThan(0.8);
    const deep = await trainDeep(numbers.inputs, y, { hidden: [8], epochs: 5 });
    expect((await deep(numbers.inputs)).shape).toEqual([84, 1]);
    for (const unit of [2 ** -500, 2 ** 500]) {
      const scaled = await trainWhole(numbers.inputs, y.mul(unit), { units: 10, maxIterations: 100 });
      expect(gap(scaled.predict(numbers.inputs).div(unit), whole.predict(numbers.inputs))).toBe(0);
      const deepScaled = await trainDeep(numbers.inputs, y.mul(unit), { hidden: [8], epochs: 5 });
      expect(gap((await deepScaled(numbers.inputs)).div(unit), await deep(numbers.inputs))).toBe(0);
    }
    await expect(trainDeep(numbers.inputs, y, { hidden: 3 as never })).rejects.toThrow(/hidden is 3; give an array/);
    const idle = { loss: "logistic", standardizeTargets: true } as const;
    await expect(trainWhole(numbers.inputs, y, idle)).rejects.toThrow(/standardizeTargets is of the loss "squared"/);
    expect(() => boostStumps(numbers.inputs, y.data() as Float64Array, {} as never)).toThrow(/loss\.initial/);
  });
});
