import { readSafetensors, writeSafetensors } from "@offprint/data";
import { FormatError, ShapeError, tensor, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  boostHead,
  decisionValues,
  fitClassifier,
  fitRegressor,
  type GbnnOptions,
  gridSearch,
  loadModel,
  losses,
  predictClasses,
  predictNumbers,
  predictProbabilities,
  saveModel,
  stagedScore,
  toNetwork,
} from "../src/index.js";

const x = [
  [0, 1],
  [1, 0],
  [2, 2],
  [3, 1],
];
const y = [0, 1, 2, 3];
const quick = { totalUnits: 2, maxIterations: 3 };

describe("bad input is refused by name", () => {
  it.each<[GbnnOptions, RegExp]>([
    [{ subsample: 0 }, /subsample is 0; it must lie in \(0, 1\]/],
    [{ subsample: 1.5 }, /subsample is 1.5/],
    [{ subsample: "0.5" as never }, /subsample is 0.5; it must lie in/],
    [{ standardize: "no" as never }, /standardize is "no"; it must be one of true, false/],
    [{ nonNegativeStep: "no" as never }, /nonNegativeStep is "no"/],
    [{ loss: { outputs: 1 } as never }, /loss.initial is undefined; give a function/],
    [{ learningRate: -1 }, /learningRate is -1; it must be a finite number >= 0/],
    [{ learningRate: Number.NaN }, /learningRate is NaN/],
    [{ unitsPerStep: 0 }, /unitsPerStep is 0; it must be an integer >= 1/],
    [{ totalUnits: 3, unitsPerStep: 4 }, /totalUnits is 3, less than the 4 units of one block/],
    [{ alpha: -1 }, /alpha is -1/],
    [{ gradientTolerance: -1 }, /gradientTolerance is -1/],
    [{ maxIterations: 0 }, /maxIterations is 0/],
    [{ eta: 0.1 } as never, /no option "eta"; did you mean "learningRate"/],
    [{ activation: "gelu" as never }, /activation is gelu; take one of logistic/],
    [{ solver: "newton" as never }, /solver is newton; take one of lbfgs, adam, sgd/],
    [{ loss: losses.softmax(3) }, /the loss has 3 outputs and the task 1/],
  ])("options %o", async (options, message) => {
    await expect(fitRegressor(x, y, options)).rejects.toThrow(message);
    await expect(fitRegressor(x, y, options)).rejects.toThrow(ValueError);
  });

  it("samples", async () => {
    await expect(
      fitRegressor(
        [
          [1, Number.NaN],
          [0, 1],
        ],
        [0, 1],
      ),
    ).rejects.toThrow(/x is NaN in row 0, column 1/);
    await expect(fitRegressor(x, [0, 1, Number.POSITIVE_INFINITY, 2])).rejects.toThrow(/y is Infinity at 2/);
    await expect(fitRegressor([[1, 2]], [0])).rejects.toThrow(/1 samples; give at least 2/);
    await expect(fitRegressor([1, 2], [0, 1])).rejects.toThrow(ShapeError);
    await expect(fitRegressor(x, [0, 1])).rejects.toThrow(/y has shape \[2\]; it must be \[4\] or \[4, outputs\]/);
    await expect(fitRegressor(tensor(new Float64Array(0), { shape: [4, 0] }), y)).rejects.toThrow(/no features/);
  });

  it("classes", async () => {
    await expect(fitClassifier(x, [1, 1, 1, 1])).rejects.toThrow(/one class only, 1; give samples of two/);
    await expect(fitClassifier(x, [1, 2])).rejects.toThrow(/2 classes for 4 samples/);
    await expect(fitClassifier(x, [1, "a", 2, 3])).rejects.toThrow(/mixes numbers and texts/);
    await expect(fitClassifier(x, [1, 2, Number.NaN, 3])).rejects.toThrow(/y holds NaN/);
  });

  it("models that do not fit what they are asked", async () => {
    const { model } = await fitRegressor(x, y, quick);
    expect(() => decisionValues(model, [[1, 2, 3]])).toThrow(/3 features, but the model was fitted to 2/);
    expect(() => predictClasses(model, x)).toThrow(/the model is for regression; use predictNumbers/);
    expect(() => predictNumbers(model, x, { keepBlocks: 3 })).toThrow(/keepBlocks is 3, but the model has 2 blocks/);
    expect(() => toNetwork(model, { keepBlocks: -1 })).toThrow(/keepBlocks is -1/);
    expect(() => stagedScore(model, x, [1])).toThrow(/y has shape \[1\]; it must be \[4\]/);
    const classifier = (await fitClassifier(x, ["a", "b", "a", "b"], quick)).model;
    expect(() => stagedScore(classifier, x, ["a", "b", "a", "c"])).toThrow(
      /sample 3 is of class c; the model knows a, b/,
    );
  });

  it("states of other runs", async () => {
    const { state } = await fitRegressor(x, y, quick);
    await expect(fitRegressor(x, y, { ...quick, unitsPerStep: 2, resume: state })).rejects.toThrow(
      /resume has units 1, this run 2/,
    );
    await expect(fitRegressor(x, [3, 2, 1, 5], { ...quick, resume: state })).rejects.toThrow(
      /other samples \(its initial differs\)/,
    );
    const damaged = { ...state, inner: { ...state.inner, model: {} as never } };
    await expect(fitRegressor(x, y, { ...quick, resume: damaged })).rejects.toThrow(/resume holds no model/);
  });

  it("what is missing", async () => {
    const none = undefined as never;
    await expect(fitRegressor(none, y)).rejects.toThrow(/fitRegressor: x is missing/);
    await expect(fitRegressor(x, none)).rejects.toThrow(/fitRegressor: y is missing/);
    await expect(fitClassifier(x, none)).rejects.toThrow(/fitClassifier: y has no classes for 4 samples/);
    await expect(gridSearch(x, y, none)).rejects.toThrow(/gridSearch: task is undefined; take one of/);
    await expect(boostHead(none, "regression", x, y)).rejects.toThrow(/boostHead: the body is undefined/);
    for (const use of [decisionValues, predictNumbers, predictClasses, predictProbabilities]) {
      expect(() => use(none, x)).toThrow(/the model is undefined; give the `model` of a result/);
    }
    for (const use of [toNetwork, saveModel]) expect(() => use(none)).toThrow(/the model is undefined/);
    const { model } = await fitRegressor(x, y, quick);
    expect(() => decisionValues(model, none)).toThrow(/decisionValues: x is missing/);
    expect(() => stagedScore(model, x, none)).toThrow(/stagedScore: y is missing/);
    expect(() => predictNumbers(model, x, { blocks: 1 } as never)).toThrow(/no option "blocks"/);
  });

  it("searches", async () => {
    await expect(gridSearch(x, y, { task: "regression", folds: 1 })).rejects.toThrow(/folds is 1/);
    await expect(gridSearch(x, y, { task: "regression", folds: 9 })).rejects.toThrow(
      /folds is 9, but there are 4 samples/,
    );
    await expect(gridSearch(x, y, { task: "regression", grid: { learningRate: [] } })).rejects.toThrow(/grid is empty/);
  });

  it("files", async () => {
    const bytes = saveModel((await fitRegressor(x, y, quick)).model);
    expect(() => loadModel(bytes.slice(0, bytes.length - 9))).toThrow(FormatError);
    expect(() => loadModel(writeSafetensors({}))).toThrow(/not marked "offprint gbnn 1"/);
    const description = readSafetensors(bytes).metadata.model;
    const cut = writeSafetensors(
      { steps: tensor(new Float64Array(2)) },
      { metadata: { format: "offprint gbnn 1", model: description } },
    );
    expect(() => loadModel(cut)).toThrow(/hiddenWeight is missing/);
  });
});
