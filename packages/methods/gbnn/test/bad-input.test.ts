import { writeSafetensors } from "@offprint/data";
import { FormatError, ShapeError, tensor, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  decisionValues,
  fitClassifier,
  fitRegressor,
  type GbnnOptions,
  gridSearch,
  loadModel,
  losses,
  predictClasses,
  predictNumbers,
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
const quick = { totalUnits: 2, maxIter: 3 };

describe("bad input is refused by name", () => {
  it.each<[GbnnOptions, RegExp]>([
    [{ subsample: 0 }, /subsample is 0; it must lie in \(0, 1\]/],
    [{ subsample: 1.5 }, /subsample is 1.5/],
    [{ eta: -1 }, /eta is -1; it must be finite and >= 0/],
    [{ eta: Number.NaN }, /eta is NaN/],
    [{ unitsPerStep: 0 }, /unitsPerStep is 0; it must be an integer >= 1/],
    [{ totalUnits: 3, unitsPerStep: 4 }, /totalUnits is 3, less than the 4 units of one block/],
    [{ alpha: -1 }, /alpha is -1/],
    [{ tol: -1 }, /tol is -1/],
    [{ maxIter: 0 }, /maxIter is 0/],
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
    await expect(fitRegressor(x, [0, 1])).rejects.toThrow(/y has shape \[2\]; it must be \[4\]/);
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
    expect(() => stagedScore(model, x, [1])).toThrow(/1 values for 4 samples/);
    const classifier = (await fitClassifier(x, ["a", "b", "a", "b"], quick)).model;
    expect(() => stagedScore(classifier, x, ["a", "b", "a", "c"])).toThrow(
      /sample 3 is of class c; the model knows a, b/,
    );
    await expect(fitRegressor(x, y, { ...quick, unitsPerStep: 2, resume: model })).rejects.toThrow(
      /resume has units 1, this run 2/,
    );
    await expect(fitRegressor(x, [3, 2, 1, 5], { ...quick, resume: model })).rejects.toThrow(
      /other samples \(its initial differs\)/,
    );
  });

  it("searches", async () => {
    await expect(gridSearch(x, y, { task: "regression", folds: 1 })).rejects.toThrow(/folds is 1/);
    await expect(gridSearch(x, y, { task: "regression", folds: 9 })).rejects.toThrow(/9 folds of 4 samples/);
    await expect(gridSearch(x, y, { task: "regression", grid: { eta: [] } })).rejects.toThrow(/grid is empty/);
  });

  it("files", async () => {
    const bytes = saveModel((await fitRegressor(x, y, quick)).model);
    expect(() => loadModel(bytes.slice(0, bytes.length - 9))).toThrow(FormatError);
    expect(() => loadModel(writeSafetensors({}))).toThrow(/not marked "offprint gbnn 1"/);
    const cut = writeSafetensors(
      { steps: tensor(new Float64Array(2)) },
      { metadata: { format: "offprint gbnn 1", model: JSON.stringify({ features: 2, units: 1, outputs: 1 }) } },
    );
    expect(() => loadModel(cut)).toThrow(/hiddenWeight is missing/);
  });
});
