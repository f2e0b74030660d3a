import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { writeNpz } from "@offprint/data";
import { loadModel } from "@offprint/onnx-runtime";
import { random } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("odice commands");
const rng = random.rng("commands");
const arrays = {
  observations: rng.normal([50, 3]),
  actions: rng.uniform([50, 2], { low: -1, high: 1 }),
  rewards: rng.normal([50]),
  terminals: rng.uniform([50]).less(0.1).cast("float32"),
};
const write = (name: string, bytes: Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const steps = write("steps.npz", writeNpz(arrays));
const transitions = write("transitions.npz", writeNpz({ ...arrays, next_observations: rng.normal([50, 3]) }));
const hdf5 = fileURLToPath(new URL("fixtures/d4rl.hdf5", import.meta.url));
const short = ["--steps", "5", "--batch-size", "8", "--hidden", "4"];
const values = ["--value-hidden", "4"];
const train = (data: string, words: string[]) =>
  runWords(commands, "train-policy", ["--data", data, ...short, ...words]);

describe("train-policy", () => {
  it("reads steps, transitions and HDF5, and writes a policy that runs", async () => {
    const output = join(folder, "policy.onnx");
    for (const [data, count] of [
      [steps, 49],
      [transitions, 50],
      [hdf5, 10],
    ] as const) {
      const { code, out } = await train(data, [...values, "--output", output, "--normalize"]);
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`${count} transitions, 3 entries of an observation, 2 of an action`));
      const model = await loadModel(new Uint8Array(readFileSync(output)));
      const { y } = await model.run({ x: rng.normal([4, 3]) });
      expect(y.shape).toEqual([4, 2]);
      expect(Math.max(...y.abs().data())).toBeLessThanOrEqual(1);
    }
  });

  it("by every method, with scaled rewards", async () => {
    for (const words of [
      [...values, "--method", "semi", "--rewards", "returns"],
      [...values, "--method", "iql", "--rewards", "maze"],
      ["--method", "cloning", "--share", "0.5", "--output", join(folder, "policy.safetensors")],
    ]) {
      expect((await train(steps, words)).code).toBe(0);
    }
  });

  it("goes on after an interruption to the same policy", async () => {
    const words = ["--data", steps, ...short, ...values];
    const [whole, parts] = await runInTwo(commands, "train-policy", words, {
      output: join(folder, "resumed.safetensors"),
      state: join(folder, "state.json"),
    });
    expect(parts).toEqual(whole);
  });

  it("refuses options of another method", async () => {
    for (const [method, option, value] of [
      ["orthogonal", "share", "0.5"],
      ["semi", "eta", "2"],
      ["iql", "lambda", "0.5"],
      ["cloning", "discount", "0.9"],
      ["cloning", "value-hidden", "4"],
    ]) {
      const { code, err } = await train(steps, ["--method", method, `--${option}`, value]);
      expect([code, err]).toEqual([2, expect.stringContaining(`--${option} would do nothing`)]);
    }
  });

  it("says in one line what is missing", async () => {
    const { rewards: _, ...less } = arrays;
    const { code, err } = await train(write("less.npz", writeNpz(less)), []);
    expect([code, /has no array rewards/.test(err)]).toEqual([2, true]);
  });
});
