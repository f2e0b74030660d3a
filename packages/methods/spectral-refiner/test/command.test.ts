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
    ...words("--modes 2,2,3 --width 4 --layers 1 --window 5 --epochs 2 --batch-size 2"),
    ...["--flows", flows, "--output", operator],
  ]);
  expect(trained.code).toBe(0);
  const { code, out } = await runWords(commands, "refine-flow", [
    ...words("--viscosity 0.002 --spacing 0.1 --frames 6 --max-iterations 150"),
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
  const words = "--viscosity 0.002 --spacing 0.1 --max-iterations 150".split(" ");
  const given = ["--input", input, "--forecast", theirs];
  const { code } = await runWords(commands, "refine-flow", [...words, ...given, "--output", output]);
  expect(code).toBe(0);
  const error = (x: typeof truth) => x.sub(truth).square().mean().sqrt().item();
  expect(error(readNpy(new Uint8Array(readFileSync(output))))).toBeLessThan(error(forecast) / 6);
  const both = await runWords(commands, "refine-flow", [...words, ...given, "--frames", "6"]);
  expect([both.code, both.err]).toEqual([2, expect.stringMatching(/--forecast has its frames/)]);
});

it("learns and refines the same flow in any unit", async () => {
  const family = decayingFlows({ points: 8, length: 1, viscosity: 2e-3 });
  const settings = { count: 3, rng: random.rng(6), stepSize: 0.01, spacing: 0.1, warmUp: 0.5, frames: 11 };
  const { frames } = await generateFlows(family, settings);
  const [flows, input, operator, output] = ["u.npy", "v.npy", "w.safetensors", "x.npy"].map((name) =>
    join(folder, name),
  );
  /** The run in other units of time and length, its report and the forecast in the first ones. */
  const inUnits = async (rate: number, side: number) => {
    writeFileSync(flows, writeNpy(frames.slice([{ stop: 2 }]).mul(rate)));
    writeFileSync(input, writeNpy(frames.slice([2, { stop: 5 }]).mul(rate)));
    const trained = await runWords(commands, "train-flow-operator", [
      ..."--modes 2,2,3 --width 4 --layers 1 --window 5 --epochs 2 --batch-size 2".split(" "),
      ...["--flows", flows, "--output", operator],
    ]);
    const refined = await runWords(commands, "refine-flow", [
      ...["--viscosity", String(0.002 * rate * side ** 2), "--spacing", String(0.1 / rate), "--length", String(side)],
      ...["--frames", "6", "--max-iterations", "20", "--input", input, "--operator", operator, "--output", output],
    ]);
    expect([trained.code, refined.code]).toEqual([0, 0]);
    const numbers = refined.out.match(/\d\.\d+e[+-]\d+/g)?.map(Number) ?? [];
    const forecast = Array.from(readNpy(new Uint8Array(readFileSync(output))).data(), (w) => Number(w) / rate);
    return {
      learned: trained.out.match(/error.*/g),
      iterations: /iterations +(\d+)/.exec(refined.out)?.[1],
      numbers,
      forecast,
    };
  };
  const here = await inUnits(1, 1);
  expect(here.iterations).toBe("20");
  // An ocean in metres and seconds, a droplet, and units that float32 has no numbers for.
  for (const [rate, side] of [
    [2 ** -16, 2 ** 20],
    [2 ** 20, 2 ** -14],
    [2 ** -200, 2 ** 100],
    [2 ** 200, 2 ** -100],
  ]) {
    const { numbers, ...there } = await inUnits(rate, side);
    const { numbers: ours, ...rest } = here;
    expect(there).toEqual(rest);
    const units = [side * rate ** 2, side * rate ** 2, rate, rate ** 2];
    units.forEach((unit, i) => {
      expect(Math.abs(numbers[i] / unit / ours[i] - 1)).toBeLessThan(0.01);
    });
  }
});

it("refuses flows that are 0 everywhere", async () => {
  const flows = join(folder, "still.npy");
  writeFileSync(flows, writeNpy(tensor(new Float64Array(4 * 1280), { shape: [4, 20, 8, 8] })));
  const words = { flows, modes: "2,2,3", output: join(folder, "none.safetensors") };
  const { code, err } = await runWords(commands, "train-flow-operator", words);
  expect([code, err]).toEqual([2, expect.stringContaining("flow 0 is 0 everywhere")]);
});

it("refuses what is no flow, and forces that are none on a torus", async () => {
  const [input, forcing] = ["none.npy", "mean.npy"].map((name) => join(folder, name));
  const refineIt = () =>
    runWords(commands, "refine-flow", [
      ..."--viscosity 0.002 --spacing 0.1 --max-iterations 5".split(" "),
      ...["--input", input, "--forcing", forcing],
    ]);
  writeFileSync(forcing, writeNpy(tensor(new Float64Array(64).fill(1), { shape: [8, 8] })));
  writeFileSync(input, writeNpy(tensor(new Float64Array(0), { shape: [0, 8, 8] })));
  expect(await refineIt()).toMatchObject({ code: 2, err: expect.stringMatching(/shape \[0,8,8\]/) });
  writeFileSync(input, writeNpy(tensor(new Float64Array(64), { shape: [8, 8] })));
  expect(await refineIt()).toMatchObject({ code: 2, err: expect.stringMatching(/the mean is 1\.00; take it away/) });
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

it("refuses options of generated flows beside flows of one's own", async () => {
  const flows = join(folder, "own.npy");
  writeFileSync(flows, writeNpy(tensor(new Float64Array(1280), { shape: [1, 20, 8, 8] })));
  const words = { flows, viscosity: 1, count: 3, output: join(folder, "none.safetensors") };
  const { code, err } = await runWords(commands, "train-flow-operator", words);
  expect([code, err]).toEqual([2, expect.stringContaining("--count, --viscosity would do nothing, as the flows of")]);
});

it("goes on after an interruption to the same operator, and to the same forecast", async () => {
  const family = decayingFlows({ points: 8, length: 1, viscosity: 2e-3 });
  const settings = { count: 2, rng: random.rng(0), stepSize: 0.01, spacing: 0.1, warmUp: 0.5, frames: 10 };
  const { frames } = await generateFlows(family, settings);
  const [flows, input, operator] = ["two.npy", "first.npy", "resumed.safetensors"].map((name) => join(folder, name));
  writeFileSync(flows, writeNpy(frames));
  writeFileSync(input, writeNpy(frames.slice([0, { stop: 5 }])));
  const training = { modes: "2,2,3", width: 4, layers: 1, window: 5, epochs: 2, batchSize: 2, flows };
  const [whole, parts] = await runInTwo(commands, "train-flow-operator", training, {
    output: join(folder, "resumed.safetensors"),
    state: join(folder, "state.json"),
  });
  expect(parts).toEqual(whole);
  const refining = { viscosity: 0.002, spacing: 0.1, frames: 6, maxIterations: 8, input, operator };
  const [forecast, again] = await runInTwo(commands, "refine-flow", refining, {
    output: join(folder, "resumed.npy"),
    state: join(folder, "state.json"),
  });
  expect(again).toEqual(forecast);
});
