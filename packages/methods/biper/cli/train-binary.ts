import { defineCommand, deviceOptions, option, seedOption, stateOptions } from "@offprint/commands";
import { trainTestSplit } from "@offprint/data";
import { accuracy } from "@offprint/optim";
import { random, ValueError } from "@offprint/tensor-core";
import { imageNetworks } from "../src/architectures/named.js";
import {
  cropAndFlip,
  type FitRecord,
  type FitState,
  fitNetwork,
  packNetwork,
  periodic,
  predict,
  saveNetwork,
  savePacked,
  vggSmall,
} from "../src/index.js";
import { imageOption } from "./image-option.js";
import { openImages } from "./images.js";
import { channelScale, scaled } from "./normalization.js";

/** A number for both stages, or one for each. */
const both = { least: 1, most: 2 };

/** `offprint train-binary --images FOLDER --output network.safetensors --packed packed.safetensors` */
export const trainBinary = defineCommand({
  name: "train-binary",
  summary: "Train a network of one-bit weights and activations on images and pack it",
  options: {
    ...imageOption,
    network: option.choice(Object.keys(imageNetworks), "architecture", { default: "smallNetwork" }),
    omega: option.number("angular frequency of the square wave", { default: 20, above: 0 }),
    epochs: option.list(option.integer("epochs of stage 1 and of stage 2", { least: 1 }), {
      ...both,
      default: [14, 10],
    }),
    learningRate: option.list(option.number("largest, of stage 1 and of stage 2", { above: 0 }), {
      ...both,
      default: [0.05, 0.01],
    }),
    weightDecay: option.list(option.number("of stage 1 and of stage 2", { least: 0 }), {
      ...both,
      default: [5e-4, 1e-4],
    }),
    tau: option.list(option.number("weight of the regulariser in stage 1 and stage 2", { least: 0 }), {
      ...both,
      default: [0.037, 0.0468],
    }),
    batchSize: option.integer("samples of a batch", { default: 64, least: 1 }),
    holdout: option.number("part of the images that chooses the epoch to keep, in (0, 1)", {
      default: 0.1,
      above: 0,
      below: 1,
    }),
    augment: option.flag("shift by up to 4 places and mirror the images"),
    ...seedOption,
    output: option.fileOut("file for the trained network (safetensors)", { short: "o" }),
    packed: option.fileOut("file for the packed network (safetensors)"),
    ...stateOptions,
    ...deviceOptions,
  },
  async run({ options, print, report, write, longRun, backend }) {
    const { seed, batchSize } = options;
    const set = await openImages(options.images);
    if (set.targets === undefined) throw new ValueError(`${options.images} has no targets to learn from`);
    const scale = channelScale(set.inputs);
    const whole = { inputs: scaled(set.inputs, scale), targets: set.targets };
    const split = trainTestSplit(whole, { test: options.holdout, rng: random.rng(`${seed}/held out`) });
    const labels: ArrayLike<number> = set.targets.data();
    const classes = set.classNames?.length ?? 1 + Array.from(labels).reduce((most, label) => Math.max(most, label), 0);
    const network = networkOf(options.network, options.omega, classes, set.inputs.shape);
    const stage = (at: 0 | 1) => {
      const of = (values: readonly number[]) => values[at] ?? values[0]!;
      const epochs = of(options.epochs);
      return {
        epochs,
        learningRate: of(options.learningRate),
        weightDecay: of(options.weightDecay),
        tauMax: of(options.tau),
        warmUpEpochs: Math.min(5, Math.floor(epochs / 4)),
      };
    };
    const compiler = await backend();
    const where = compiler ? { backend: compiler } : {};
    print(`${set.inputs.shape[0]} images [${set.inputs.shape.slice(1)}], ${classes} classes`);
    const [stage1, stage2] = [stage(0), stage(1)];
    const perEpoch = Math.ceil(split.train.targets.size / batchSize);
    const run = await longRun<FitRecord, FitState>({
      progress: ({ stage: s, step, epoch, loss }) => ({
        fraction: (step / perEpoch + (s === 2 ? stage1.epochs : 0)) / (stage1.epochs + stage2.epochs),
        label: `stage ${s}, epoch ${epoch} of ${(s === 1 ? stage1 : stage2).epochs}, loss ${loss.toPrecision(4)}`,
      }),
      every: 10,
    });
    const { model, status, state } = await fitNetwork(network, split.train, {
      stage1,
      stage2,
      batchSize,
      validation: split.test,
      seed,
      ...run.options,
      ...(options.augment && { augment: cropAndFlip() }),
      ...where,
    });
    await run.settle({ status, state });
    const right = accuracy(await predict(model, split.test.inputs, where), split.test.targets).item();
    const metadata = { scale: JSON.stringify(scale), ...(set.classNames && { classes: set.classNames.join("\n") }) };
    const packed = packNetwork(model, { metadata });
    const real = 4 * packed.layers.reduce((total, { weights }) => total + weights.shape.reduce((a, b) => a * b), 0);
    report([
      [`right of ${split.test.targets.size} held-out images, with one bit per weight`, `${(100 * right).toFixed(2)} %`],
      ["binary weights", `${packed.byteLength} bytes packed, ${real} in float32`],
    ]);
    await write(options.output, saveNetwork(model, { metadata }));
    await write(options.packed, savePacked(packed));
  },
});

function networkOf(name: string, omega: number, classes: number, shape: readonly number[]) {
  const options = { channels: shape[1]!, classes, weights: periodic({ omega }) };
  return name === "vggSmall" ? vggSmall({ ...options, side: shape[2]! }) : imageNetworks[name]!(options);
}
