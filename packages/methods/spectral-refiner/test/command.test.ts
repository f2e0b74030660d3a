import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { readNpy, writeNpy } from "@offprint/data";
import { random, tensor } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { decayingFlows, generateFlows } from "../src/index.js";

const folder = temporaryFolder("refine flow");

it("trains an operator on flows from a file, and refines its forecast of another to the flow", async () => {
  const family = decayingFlows({ points: 8, length: 1, viscosity: 2e-3 });
  const settings = { count: 3, rng: random.rng(0), stepSize: 0.01, spacing: 0.1, warmUp: 0.5, frames: 12 };
  const { frames } = await generateFlows(family, settings);
  const [flows, input, operator, output] = ["flows.npy", "input.npy", "operator.safetensors", "forecast.npy"].map(
    (name) => join(folder, name),
  );
  writeFileSync(flows, writeNpy(frames.slice([{ stop: 2 }])));
  writeFileSync(input, writeNpy(frames.slice([2, { stop: 6 }])));
  const words = (text: string) => text.split(" ");
  const trained = await runWords(commands, "train-flow-operator", [
    ...words("--modes 2,2,3 --width 4 --layers 1 --window 5 --epochs 2 --batch 2"),
    ...["--flows", flows, "--output", operator],
  ]);
  expect(trained.code).toBe(0);
  const { code, out } = await runWords(commands, "refine-flow", [
    ...words("--viscosity 0.002 --spacing 0.1 --frames 6 --iterations 150"),
    ...["--input", input, "--operator", operator, "--output", output],
  ]);
  expect(code).toBe(0);
  expect(out).toMatch(/error at the known frame/);
  const forecast = readNpy(new Uint8Array(readFileSync(output)));
  const truth = frames.slice([2, { start: 6 }]);
  const size = truth.square().mean().sqrt().item();
  expect(forecast.sub(truth).square().mean().sqrt().item()).toBeLessThan(0.02 * size);
});

it("refines the forecast of somebody's model", async () => {
  const family = decayingFlows({ points: 8, length: 1, viscosity: 2e-3 });
  const settings = { count: 1, rng: random.rng(4), stepSize: 0.01, spacing: 0.1, warmUp: 0.5, frames: 7 };
  const { frames } = await generateFlows(family, settings);
  const [input, theirs, output] = ["last.npy", "theirs.npy", "refined.npy"].map((name) => join(folder, name));
  const truth = frames.slice([0, { start: 1 }]);
  const forecast = truth.mul(1.2);
  writeFileSync(input, writeNpy(frames.slice([0, 0])));
  writeFileSync(theirs, writeNpy(forecast));
  const words = "--viscosity 0.002 --spacing 0.1 --iterations 150".split(" ");
  const given = ["--input", input, "--forecast", theirs];
  const { code } = await runWords(commands, "refine-flow", [...words, ...given, "--output", output]);
  expect(code).toBe(0);
  const error = (x: typeof truth) => x.sub(truth).square().mean().sqrt().item();
  expect(error(readNpy(new Uint8Array(readFileSync(output))))).toBeLessThan(error(forecast) / 6);
  const both = await runWords(commands, "refine-flow", [...words, ...given, "--frames", "6"]);
  expect([both.code, both.err]).toEqual([2, expect.stringMatching(/--forecast has its frames/)]);
});

it("says in one line what is wrong with a file", async () => {
  const file = join(folder, "odd.npy");
  writeFileSync(file, writeNpy(tensor(new Float64Array(9), { shape: [1, 3, 3] })));
  const { code, err } = await runWords(commands, "refine-flow", [
    "--input",
    file,
    "--viscosity",
    "1",
    "--spacing",
    "1",
  ]);
  expect(code).toBe(2);
  expect(err).toMatch(/give \[frames, n, n\] with an even n/);
});

it("goes on after an interruption to the same operator, and to the same forecast", async () => {
  const family = decayingFlows({ points: 8, length: 1, viscosity: 2e-3 });
  const settings = { count: 2, rng: random.rng(0), stepSize: 0.01, spacing: 0.1, warmUp: 0.5, frames: 10 };
  const { frames } = await generateFlows(family, settings);
  const [flows, input, operator] = ["two.npy", "first.npy", "resumed.safetensors"].map((name) => join(folder, name));
  writeFileSync(flows, writeNpy(frames));
  writeFileSync(input, writeNpy(frames.slice([0, { stop: 5 }])));
  const training = { modes: "2,2,3", width: 4, layers: 1, window: 5, epochs: 2, batch: 2, flows };
  const [whole, parts] = await runInTwo(commands, "train-flow-operator", training, {
    output: join(folder, "resumed.safetensors"),
    state: join(folder, "state.json"),
  });
  expect(parts).toEqual(whole);
  const refining = { viscosity: 0.002, spacing: 0.1, frames: 6, iterations: 8, input, operator };
  const [forecast, again] = await runInTwo(commands, "refine-flow", refining, {
    output: join(folder, "resumed.npy"),
    state: join(folder, "state.json"),
  });
  expect(again).toEqual(forecast);
});
