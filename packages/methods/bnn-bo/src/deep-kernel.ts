import { type ParameterTree, rawOf } from "@offprint/gaussian-process";
import {
  concatenate,
  full,
  mul,
  random,
  requireInteger,
  requirePositive,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  tree,
} from "@offprint/tensor-core";
import { type MapTraining, mapTraining } from "./map-training.js";
import { checkNetwork, type NetworkOptions, shapeFor } from "./network-surrogates.js";
import type { BoSurrogate } from "./posterior.js";
import { LEAST_NOISE, type Process, type ProcessParameters, processOf, processPosterior } from "./process.js";
import { noisePrior, scaledMatern } from "./process-surrogates.js";
import { type RegressionNetwork, regressionNetwork } from "./regression-network.js";
import { type Padded, padded, standardised } from "./standardise.js";

/** Options of {@link dkl}. */
export interface DklOptions extends Pick<NetworkOptions, "hidden" | "activation" | "trainingSteps"> {
  /** Steps of Adam on the evidence, over weights and parameters of the process, >= 0. Default 1000. */
  readonly evidenceSteps?: number;
  /** Its learning rate, > 0. Default 1e-3, with 100 inputs or more 1e-4. */
  readonly learningRate?: number;
}

interface Programs {
  readonly network: RegressionNetwork;
  readonly process: Process;
  readonly pretraining: MapTraining<Padded>;
  readonly evidence: MapTraining<Padded>;
  /** All variables in one vector, weights first. */
  readonly split: (all: Tensor) => ProcessParameters;
  readonly start: (weights: Tensor) => Tensor;
}

const made = new Map<string, Programs>();
const [MANY, START_NOISE] = [100, 0.1];

/** @internal Made once for each shape. */
export function deepKernelPrograms(d: number, options: DklOptions): Programs {
  const shape = shapeFor(d, options);
  const { learningRate = d >= MANY ? 1e-4 : 1e-3 } = options;
  const key = JSON.stringify([d, shape, learningRate]);
  const known = made.get(key);
  if (known !== undefined) return known;
  const network = regressionNetwork(d, shape);
  const P = network.size;
  const inputs = shape.hidden[shape.hidden.length - 1];
  const { kernel, logPrior } = scaledMatern(inputs, "gamma");
  const { leaves, structure } = tree.flatten(kernel.parameters);
  const raw = leaves as readonly Tensor[];
  const parts = (parameters: ParameterTree) => parameters as unknown as { weights: Tensor; kernel: ParameterTree };
  const kind = {
    matrix: (parameters: ParameterTree, a: Tensor, b: Tensor) => {
      const { weights, kernel: own } = parts(parameters);
      return kernel.with(own).matrix(network.features(weights, a), network.features(weights, b));
    },
    diagonal: (parameters: ParameterTree, a: Tensor) => {
      const { weights, kernel: own } = parts(parameters);
      return kernel.with(own).diagonal(network.features(weights, a));
    },
    logPrior: (parameters: ParameterTree, noise: Tensor) => logPrior(parts(parameters).kernel).add(noisePrior(noise)),
  };
  const process = processOf(kind);
  const split = (all: Tensor): ProcessParameters => {
    let from = P;
    const own = raw.map((leaf) => {
      const part = slice(all, [{ start: from, stop: from + leaf.size }]).reshape(leaf.shape);
      from += leaf.size;
      return part;
    });
    const kernelParameters = {
      weights: slice(all, [{ start: 0, stop: P }]),
      kernel: tree.unflatten<ParameterTree>(structure, own),
    };
    return { kernel: kernelParameters, noise: slice(all, [from]), mean: slice(all, [from + 1]) };
  };
  const rawNoise = rawOf(tensor(START_NOISE - LEAST_NOISE, { dtype: "float64" })).reshape([1]);
  const programs: Programs = {
    network,
    process,
    split,
    pretraining: mapTraining((weights: Tensor, { x, y, mask }: Padded) => {
      const misfit = sum(mul(mask, square(sub(y, network.apply(weights, x)))));
      return misfit.div(sum(mask));
    }, 1e-3),
    evidence: mapTraining((all: Tensor, data: Padded) => process.minusPosterior(split(all), data), learningRate),
    start: (weights) =>
      concatenate([weights, ...raw.map((leaf) => leaf.reshape([leaf.size])), rawNoise, full([1], 0, "float64")], 0),
  };
  made.set(key, programs);
  return programs;
}

/** A Gaussian process on the last hidden layer of a network, trained with it on the exact evidence. */
export function dkl(options: DklOptions = {}): BoSurrogate {
  checkNetwork("dkl", options, ["evidenceSteps", "learningRate"]);
  const { trainingSteps = 1000, evidenceSteps = 1000, learningRate } = options;
  requireInteger("dkl", "evidenceSteps", evidenceSteps, 0);
  if (learningRate !== undefined) requirePositive("dkl", "learningRate", learningRate);
  return {
    name: "dkl",
    async fit(x, y, { rng = random.rng(0), signal } = {}) {
      const data = standardised("dkl", x, y);
      const programs = deepKernelPrograms(data.x.shape[1], options);
      const seen = padded(data);
      const weights = await programs.pretraining.run(programs.network.initial(rng), seen, trainingSteps, signal);
      const all = await programs.evidence.run(programs.start(weights), seen, evidenceSteps, signal);
      return processPosterior(programs.process, programs.split(all), data);
    },
  };
}
