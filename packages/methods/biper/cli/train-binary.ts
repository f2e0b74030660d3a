import type { CommandInput, MethodCommand } from "@offprint/claims";
import { trainTestSplit } from "@offprint/data";
import { saveFile } from "@offprint/data/node";
import { accuracy } from "@offprint/optim";
import { AbortedError, random, ValueError } from "@offprint/tensor-core";
import {
  cropAndFlip,
  fitTwoStages,
  imageNetworks,
  packNetwork,
  periodic,
  predict,
  saveNetwork,
  savePacked,
  vggSmall,
} from "../src/index.js";
import { DIGITS, openImages } from "./images.js";
import { channelScale, scaled } from "./normalization.js";

const networks = Object.keys(imageNetworks);

/** `offprint train-binary IMAGES` */
export const trainBinary: MethodCommand = {
  name: "train-binary",
  summary: "Train a network of one-bit weights and activations on images and pack it",
  arguments: [
    {
      name: "images",
      description: `.npz with inputs [n, c, h, w] and targets [n], data_batch_*.bin of CIFAR-10 or their folder, or ${DIGITS}`,
    },
  ],
  options: [
    { name: "network", description: networks.join(", "), type: "string", default: "smallNetwork" },
    { name: "omega", description: "angular frequency of the square wave", type: "number", default: 20 },
    { name: "epochs", description: "epochs of stage 1 and of stage 2", type: "string", default: "14,10" },
    { name: "learning-rate", description: "largest, of stage 1 and of stage 2", type: "string", default: "0.05,0.01" },
    { name: "weight-decay", description: "of stage 1 and of stage 2", type: "string", default: "5e-4,1e-4" },
    {
      name: "tau",
      description: "weight of the regulariser in stage 1 and stage 2",
      type: "string",
      default: "0.037,0.0468",
    },
    { name: "batch", description: "samples of a batch", type: "number", default: 64 },
    {
      name: "held-out",
      description: "part of the images that chooses the epoch to keep",
      type: "number",
      default: 0.1,
    },
    { name: "augment", description: "shift by up to 4 places and mirror the images", type: "boolean" },
    { name: "seed", description: "source of all randomness", type: "number", default: 0 },
    { name: "save", description: "file for the trained network (safetensors)", type: "string" },
    { name: "pack", description: "file for the packed network (safetensors)", type: "string" },
  ],
  run,
};

/** Two numbers of an option, for the two stages; one counts for both. */
function both(name: string, value: unknown): [number, number] {
  const numbers = String(value).split(",").map(Number);
  if (numbers.length > 2 || numbers.some((n) => !Number.isFinite(n))) {
    throw new ValueError(`--${name} is ${String(value)}; give one number, or two as in 14,10`);
  }
  return [numbers[0], numbers[numbers.length - 1]];
}

function networkOf(name: string, omega: number, classes: number, shape: readonly number[]) {
  const options = { channels: shape[1], classes, weights: periodic({ omega }) };
  if (name === "vggSmall") return vggSmall({ ...options, side: shape[2] });
  if (!Object.hasOwn(imageNetworks, name)) {
    throw new ValueError(`--network is ${name}; it must be one of ${networks.join(", ")}`);
  }
  return imageNetworks[name](options);
}

async function run({ arguments: args, options, print, onProgress, signal, backend }: CommandInput): Promise<void> {
  const set = await openImages(String(args["images"]));
  if (set.targets === undefined) throw new ValueError(`${String(args["images"])} has no targets to learn from`);
  const seed = Number(options["seed"]);
  const scale = channelScale(set.inputs);
  const whole = { inputs: scaled(set.inputs, scale), targets: set.targets };
  const split = trainTestSplit(whole, { test: Number(options["held-out"]), rng: random.rng(`${seed}/held out`) });
  const labels = set.targets.data() as Int32Array;
  const classes = set.classNames?.length ?? 1 + labels.reduce((most, label) => Math.max(most, label), 0);
  const network = networkOf(String(options["network"]), Number(options["omega"]), classes, set.inputs.shape);
  const [epochs, rates] = [both("epochs", options["epochs"]), both("learning-rate", options["learning-rate"])];
  const [decays, taus] = [both("weight-decay", options["weight-decay"]), both("tau", options["tau"])];
  const stage = (i: 0 | 1) => {
    const warmUpEpochs = Math.min(5, Math.floor(epochs[i] / 4));
    return { epochs: epochs[i], learningRate: rates[i], weightDecay: decays[i], tauMax: taus[i], warmUpEpochs };
  };
  const compiler = await backend();
  const where = compiler ? { backend: compiler } : {};
  print(`${set.inputs.shape[0]} images [${set.inputs.shape.slice(1)}], ${classes} classes`);
  const { trained, status } = await fitTwoStages(network, split.train, {
    stage1: stage(0),
    stage2: stage(1),
    batchSize: Number(options["batch"]),
    validation: split.test,
    seed,
    signal,
    onProgress: ({ stage: s, epoch, epochs: n, fraction, loss }) =>
      onProgress((s - 1 + fraction) / 2, `stage ${s}, epoch ${epoch} of ${n}, loss ${loss.toPrecision(4)}`),
    ...(options["augment"] === true && { augment: cropAndFlip() }),
    ...where,
  });
  if (status === "aborted") throw new AbortedError("train-binary: interrupted before the training was over");
  const right = accuracy(await predict(trained, split.test.inputs, where), split.test.targets).item();
  print(`${(100 * right).toFixed(2)} % of ${split.test.targets.size} held-out images right, with one bit per weight`);
  const metadata = { scale: JSON.stringify(scale), ...(set.classNames && { classes: set.classNames.join("\n") }) };
  const packed = packNetwork(trained, { metadata });
  const real = 4 * packed.layers.reduce((total, { weights }) => total + weights.shape.reduce((a, b) => a * b), 0);
  print(`binary weights: ${packed.byteLength} bytes packed, ${real} in float32`);
  if (options["save"] !== undefined) await saveFile(String(options["save"]), saveNetwork(trained, { metadata }));
  if (options["pack"] !== undefined) await saveFile(String(options["pack"]), savePacked(packed));
}
