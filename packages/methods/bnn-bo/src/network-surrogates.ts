import {
  checkOptions,
  hostTensor,
  random,
  requireChoice,
  requireInteger,
  requirePositive,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { hamiltonianMonteCarlo } from "./hamiltonian.js";
import { type DensityData, type NetworkPrograms, networkPrograms } from "./network-programs.js";
import type { BoSurrogate, FitContext, SampledPosterior } from "./posterior.js";
import type { NetworkShape } from "./regression-network.js";
import { padded, type Standardised, standardised } from "./standardise.js";
import { stochasticGradientHmc } from "./stochastic-gradient-hmc.js";
import { type TuningOptions, tunedVariances, type Variances } from "./tuned-variances.js";
import { weightPosterior } from "./weight-posterior.js";

/** What all surrogates made of networks take. */
export interface NetworkOptions extends TuningOptions {
  /** Units of the hidden layers. Default 128, 128, 128; with 100 inputs or more 256, 256. */
  readonly hidden?: readonly number[];
  /** `"tanh"` (default) or `"relu"`. */
  readonly activation?: "tanh" | "relu";
  /** Steps of Adam on the log density before anything else, >= 0. Default 1000. */
  readonly trainingSteps?: number;
}

/** The authors' reading of the noise. */
export interface NoiseOptions {
  /**
   * Whether the density of the weights takes `noiseVariance` for the standard deviation, as the authors' code does; their
   * 0.1 is a variance of 0.01 then. Default false.
   */
  readonly officialNoise?: boolean;
}

/** Options of {@link hmc}. */
export interface HmcOptions extends NetworkOptions, NoiseOptions {
  /** Transitions in which the step size is adapted. Default 200. */
  readonly burnIn?: number;
  /** Weights that are kept. Default 100. */
  readonly samples?: number;
  /** Length of a path. Default 0.08. */
  readonly path?: number;
  /** Step size to begin with. Default 0.01. */
  readonly stepSize?: number;
}

/** Options of {@link sghmc}. */
export interface SghmcOptions extends Omit<NetworkOptions, "trainingSteps"> {
  /** Steps in which scales are adapted, >= 1. Default 1000. */
  readonly burnIn?: number;
  /** Steps of sampling, >= 1; every fifth is kept. Default 1000. */
  readonly samplingSteps?: number;
  /** Observations of a step, >= 1. Default 5. */
  readonly batchSize?: number;
  /** > 0. Default 0.01. */
  readonly learningRate?: number;
  /** Friction, in (0, 1). Default 0.05. */
  readonly momentumDecay?: number;
}

/** Options of {@link ensemble}. */
export interface EnsembleOptions extends NetworkOptions, NoiseOptions {
  /** Networks, >= 1. Default 10. */
  readonly members?: number;
  /** Part of the observations that each sees, in (0, 1]. Default 0.8. */
  readonly part?: number;
}

const networkNames = ["hidden", "activation", "trainingSteps", "priorVariance", "noiseVariance", "tune"];
const many = 100;

/** @internal The network's shape for d inputs. */
export function shapeFor(d: number, { hidden, activation = "tanh" }: NetworkOptions): NetworkShape {
  return { hidden: hidden ?? (d >= many ? [256, 256] : [128, 128, 128]), activation };
}

/** @internal Checks what network surrogates have in common. */
export function checkNetwork(owner: string, options: NetworkOptions, own: readonly string[]): void {
  checkOptions(owner, options, [...networkNames, ...own]);
  const {
    hidden,
    activation = "tanh",
    trainingSteps = 0,
    priorVariance = 1,
    noiseVariance = 1,
    tune = "never",
  } = options;
  if (hidden !== undefined && !Array.isArray(hidden))
    throw new ValueError(`${owner}: hidden must be a list of integers`);
  for (const width of hidden ?? []) requireInteger(owner, "hidden", width, 1);
  requireChoice(owner, "activation", activation, ["tanh", "relu"]);
  requireInteger(owner, "trainingSteps", trainingSteps, 0);
  requirePositive(owner, "priorVariance", priorVariance);
  requirePositive(owner, "noiseVariance", noiseVariance);
  requireChoice(owner, "tune", tune, ["each", "first", "never"]);
}

/** @internal Observations and variances as the density of weights takes them. */
export function densityData(
  data: Pick<Standardised, "x" | "y">,
  { prior, noise }: Variances,
  { officialNoise = false }: NoiseOptions = {},
): DensityData {
  const scalar = (value: number) => tensor(value, { dtype: "float64" });
  return { ...padded(data), prior: scalar(prior), noise: scalar(officialNoise ? noise ** 2 : noise) };
}

type Sample = (
  programs: NetworkPrograms,
  data: Standardised,
  variances: Variances,
  rng: random.Rng,
  signal: AbortSignal | undefined,
) => Promise<Tensor>;

/** A surrogate whose posterior is a set of weights. */
function networkSurrogate(name: string, options: NetworkOptions, sample: Sample): BoSurrogate {
  return {
    name,
    async fit(x, y, { rng = random.rng(0), memory, signal }: FitContext = {}) {
      const data = standardised(name, x, y);
      const programs = networkPrograms(data.x.shape[1], shapeFor(data.x.shape[1], options));
      const posterior = async (seen: Standardised, variances: Variances): Promise<SampledPosterior> =>
        weightPosterior(programs.weights, await sample(programs, seen, variances, rng.fork("weights"), signal), seen);
      const variances = await tunedVariances(options, memory, data, posterior);
      return { ...(await posterior(data, variances)), memory: variances };
    },
  };
}

/** A finite Bayesian network by full-batch Hamiltonian Monte Carlo over all its weights. */
export function hmc(options: HmcOptions = {}): BoSurrogate {
  checkNetwork("hmc", options, ["burnIn", "samples", "path", "stepSize", "officialNoise"]);
  const { trainingSteps = 1000, burnIn = 200, samples = 100, path = 0.08, stepSize = 0.01 } = options;
  requireInteger("hmc", "burnIn", burnIn, 0);
  requireInteger("hmc", "samples", samples, 1);
  requirePositive("hmc", "path", path);
  requirePositive("hmc", "stepSize", stepSize);
  return networkSurrogate("hmc", options, async (programs, seen, variances, rng, signal) => {
    const data = densityData(seen, variances, options);
    const start = await programs.pretraining.run(programs.network.initial(rng), data, trainingSteps, signal);
    const seed = String(rng.randint([], { high: 2 ** 31 - 1 }).item());
    const chain = await hamiltonianMonteCarlo(programs.hamiltonian, start, data, {
      ...{ burnIn, samples, path, stepSize, seed },
      ...(signal && { signal }),
    });
    return chain.samples.shape[0] > 0 ? chain.samples : start.reshape([1, start.size]);
  });
}

/** A finite Bayesian network by scale-adapted stochastic-gradient Hamiltonian Monte Carlo, on standardised inputs. */
export function sghmc(options: SghmcOptions = {}): BoSurrogate {
  checkNetwork("sghmc", options, ["burnIn", "samplingSteps", "batchSize", "learningRate", "momentumDecay"]);
  const { burnIn = 1000, samplingSteps = 1000, batchSize = 5, learningRate = 0.01, momentumDecay = 0.05 } = options;
  requireInteger("sghmc", "burnIn", burnIn, 1);
  requireInteger("sghmc", "samplingSteps", samplingSteps, 1);
  requireInteger("sghmc", "batchSize", batchSize, 1);
  requirePositive("sghmc", "learningRate", learningRate);
  requirePositive("sghmc", "momentumDecay", momentumDecay);
  return networkSurrogate("sghmc", options, ({ network }, seen, variances, rng, signal) =>
    stochasticGradientHmc(network, seen, variances, {
      ...{ burnIn, samplingSteps, batchSize, learningRate, momentumDecay, rng },
      ...(signal && { signal }),
    }),
  );
}

/** Networks trained by Adam on the log density, each on a part of the observations and from a start of its own. */
export function ensemble(options: EnsembleOptions = {}): BoSurrogate {
  checkNetwork("ensemble", options, ["members", "part", "officialNoise"]);
  const { trainingSteps = 1000, members = 10, part = 0.8 } = options;
  requireInteger("ensemble", "members", members, 1);
  if (!(part > 0 && part <= 1)) throw new ValueError(`ensemble: part is ${part}; it must be in (0, 1]`);
  return networkSurrogate("ensemble", options, async ({ network, pretraining }, seen, variances, rng, signal) => {
    const n = seen.y.size;
    const size = Math.max(1, Math.round(part * n));
    const weights = new Float64Array(members * network.size);
    for (let k = 0; k < members; k++) {
      const own = rng.fork(k);
      const data = densityData(seen, variances, options);
      const mask = new Float64Array(data.mask.size);
      for (const at of own.permutation(n).data().slice(0, size)) mask[at] = 1;
      const given = { ...data, mask: hostTensor(mask, [mask.length], "float64") };
      weights.set((await pretraining.run(network.initial(own), given, trainingSteps, signal)).data(), k * network.size);
    }
    return hostTensor(weights, [members, network.size], "float64");
  });
}
