import { defineCommand, Failure, option, seedOption, stateOptions } from "@offprint/commands";
import type { TrainingRecord, TrainingState } from "@offprint/optim";
import { type Rng, slice, stack, type Tensor } from "@offprint/tensor-core";
import { fitProximal, type LpnConfig, type LpnParams, lpn, matchingStages, saveLpn } from "../src/index.js";
import { readImages } from "./image-files.js";

/** Random squares of random images. */
function squares(batches: readonly Tensor[], side: number) {
  const counts = batches.map(({ shape }) => shape[0]);
  const total = counts.reduce((a, b) => a + b, 0);
  return (rng: Rng, size: number): Tensor =>
    stack(
      Array.from({ length: size }, () => {
        let at = rng.randint([], { high: total }).item();
        const images = batches.find(({ shape }) => {
          if (at < shape[0]) return true;
          at -= shape[0];
          return false;
        }) as Tensor;
        const corner = (extent: number) => {
          const start = rng.randint([], { high: extent - side + 1 }).item();
          return { start, stop: start + side };
        };
        return slice(images, [at, null, corner(images.shape[2]), corner(images.shape[3])]);
      }),
    );
}

/** `offprint learn-prior --images folder --output prior.safetensors` */
export const learnPrior = defineCommand({
  name: "learn-prior",
  summary: "Learn a prior from clean images: a proximal network for reconstruct-image",
  options: {
    images: option.fileIn("clean images: a folder of PNG or PNM files, one such file, an NPY array or an IDX file", {
      required: true,
      short: "i",
      kind: "either",
    }),
    sigma: option.number("standard deviation of the noise to learn at, for values in [0, 1]", {
      default: 0.1,
      above: 0,
      most: 10,
    }),
    network: option.choice(["dense", "conv"], "layers: dense for small images, conv from about 28 x 28 on", {
      default: "dense",
    }),
    hidden: option.integer("width of the dense layers, or channels of the convolutions", {
      default: 64,
      least: 1,
      most: 8192,
    }),
    patch: option.integer("learn on random squares of this side; needed where images differ in size", { least: 2 }),
    steps: option.integer("steps of training: half with the absolute error, half by proximal matching", {
      default: 4000,
      least: 8,
    }),
    learningRate: option.number("step of Adam; a tenth of it in proximal matching", { default: 5e-3, above: 0 }),
    batchSize: option.integer("images in a step", { default: 64, least: 1, most: 8192 }),
    ...seedOption,
    output: option.fileOut("file for the prior (safetensors)", { short: "o", required: true }),
    ...stateOptions,
  },
  async run({ options, print, report, note, write, longRun }) {
    const { sigma, hidden, patch, steps, seed, batchSize, learningRate } = options;
    const batches = await readImages(options.images);
    const count = batches.reduce((total, { shape }) => total + shape[0], 0);
    const [first] = batches;
    const [channels] = first.shape.slice(1);
    const sizes = batches.map(({ shape }) => shape.slice(1).join(" x ")).join(", ");
    if (batches.some(({ shape }) => shape[1] !== channels)) {
      throw new Failure(`${options.images}: images have ${sizes}; give images of one number of channels`);
    }
    if (patch === undefined && batches.length > 1) {
      throw new Failure(`${options.images}: images have ${sizes}; give --patch to learn on squares of one size`);
    }
    const least = Math.min(...batches.flatMap(({ shape }) => shape.slice(2)));
    if (patch !== undefined && patch > least) {
      throw new Failure(`${options.images}: --patch is ${patch}, and the smallest image has only ${least} pixels`);
    }
    const shape: [number, number, number] =
      patch === undefined ? [channels, first.shape[2], first.shape[3]] : [channels, patch, patch];
    const size = shape.reduce((a, b) => a * b, 1);
    const config: LpnConfig =
      options.network === "dense"
        ? { kind: "dense", shape, hidden: [hidden, hidden], alpha: 0.01 }
        : { kind: "conv", shape, strides: [1, 2, 1, 2], hidden, alpha: 0.01 };
    const model = lpn(config);
    print(`${count} images, prior of ${shape.join(" x ")} at noise ${sigma}`);
    const run = await longRun<TrainingRecord, TrainingState<LpnParams>>({
      progress: ({ step, loss }) => ({ fraction: step / steps, label: `step ${step}, loss ${loss.toPrecision(4)}` }),
      every: 20,
    });
    const stages = matchingStages({ size, steps }).map((stage, k, all) => ({
      ...stage,
      learningRate: [rate(k, all.length), rate(k + 1, all.length)] as const,
    }));
    function rate(k: number, count: number): number {
      return learningRate * 100 ** (-k / count);
    }
    const result = await fitProximal(model, patch === undefined ? first : squares(batches, patch), {
      sigma,
      stages,
      batchSize,
      seed,
      ...run.options,
    });
    await run.settle(result);
    for (const warning of result.warnings) note(warning);
    const matched = result.history.slice(-100).map(({ figures }) => figures?.matched ?? 0);
    report([["matched in the last steps", (matched.reduce((a, b) => a + b, 0) / matched.length).toPrecision(3)]]);
    await write(options.output, saveLpn({ model, params: result.params, sigma }));
  },
});
