import { describe, expect, it } from "vitest";
import { checkOptions, hostBackend, refuseIdle, tensor, ValueError } from "../src/index.js";
import { nearestWords } from "../src/nearest-words.js";

const known = ["learningRate", "maxIterations", "tolerance", "initial", "onProgress", "seed"];
const complaint = (options: unknown) => {
  try {
    checkOptions("solve", options as object, known);
  } catch (error) {
    expect(error).toBeInstanceOf(ValueError);
    return (error as Error).message;
  }
  return undefined;
};

describe("checkOptions", () => {
  it("takes known options and none at all", () => {
    expect(complaint(undefined)).toBeUndefined();
    expect(complaint({})).toBeUndefined();
    expect(complaint({ seed: 1, tolerance: undefined })).toBeUndefined();
  });

  it("names the nearest option and all there are", () => {
    expect(complaint({ tolerence: 1 })).toBe(
      'solve: there is no option "tolerence"; did you mean "tolerance"? ' +
        "Options: learningRate, maxIterations, tolerance, initial, onProgress, seed",
    );
  });

  it.each([
    ["lr", "learningRate"],
    ["learning_rate", "learningRate"],
    ["stepSize", "learningRate"],
    ["maxIter", "maxIterations"],
    ["max_iter", "maxIterations"],
    ["maxiterations", "maxIterations"],
    ["tol", "tolerance"],
    ["x0", "initial"],
    ["callback", "onProgress"],
    ["random_state", "seed"],
  ])("knows what %s is elsewhere", (foreign, here) => {
    expect(complaint({ [foreign]: 1 })).toContain(`did you mean "${here}"?`);
  });

  it("guesses nothing for what is like nothing, not even for names of Object.prototype", () => {
    for (const name of ["quux", "constructor", "__proto__"]) {
      const options = Object.defineProperty({}, name, { value: 1, enumerable: true });
      expect(complaint(options)).toContain(`there is no option "${name}". Options: learningRate`);
    }
  });

  it("refuses what is no object", () => {
    expect(complaint(null)).toContain("solve: the options are null; give an object. Options: learningRate");
    expect(complaint(1e-3)).toContain("the options are 0.001");
    expect(complaint([1])).toContain("an array");
    expect(complaint(new Float32Array(1))).toContain("a typed array");
    expect(complaint(tensor(1))).toContain("a tensor");
    expect(complaint(() => 1)).toContain("a function");
  });

  it.each([
    [{}, "an object"],
    [[], "an array"],
    [null, "null"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [tensor(1), "a tensor"],
  ])("refuses a seed that would be the same as others: %s", (seed, called) => {
    expect(complaint({ seed })).toBe(`solve: seed is ${called}; give a finite number or a text`);
    for (const good of [0, -1.5, "", "0/start", undefined]) expect(complaint({ seed: good })).toBeUndefined();
  });

  it.each([
    [{}, "an object"],
    ["cpu", "cpu"],
    [null, "null"],
    [Promise.resolve(hostBackend), "an object"],
  ])("refuses a backend that compiles nothing: %s", (backend, called) => {
    expect(() => checkOptions("fit", { backend }, ["backend"])).toThrow(
      new ValueError(`fit: backend is ${called}; give hostBackend or await onnxRuntime()`),
    );
    checkOptions("fit", { backend: hostBackend }, ["backend"]);
    checkOptions("fit", { backend: undefined }, ["backend"]);
  });
});

it("nearestWords are what is near or contains the word, nearest first, and nothing for nonsense", () => {
  const words = ["diffgrad", "adadagrad", "reagent", "lipsdp", "bsp-net"];
  expect(nearestWords("difgrad", words)).toEqual(["diffgrad"]);
  expect(nearestWords("dfifgrad", words)).toEqual(["diffgrad"]);
  expect(nearestWords("grad", words)).toEqual(["diffgrad", "adadagrad"]);
  expect(nearestWords("LipSDP", words)).toEqual(["lipsdp"]);
  expect(nearestWords("quantum", words)).toEqual([]);
});

describe("refuseIdle", () => {
  it("names the option that would do nothing, and none where it was not given", () => {
    const options: { learningRate?: number; steps?: number } = { steps: 3 };
    expect(() => refuseIdle("fit", "an optimizer", options, ["learningRate"])).not.toThrow();
    expect(() => refuseIdle("fit", "an optimizer", { ...options, learningRate: 1 }, ["learningRate"])).toThrow(
      "fit: learningRate does nothing with an optimizer; leave it out",
    );
  });
});
