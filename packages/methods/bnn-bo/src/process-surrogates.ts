import { type Activation, matern, nngp, type ParameterTree, rawOf, scale } from "@offprint/gaussian-process";
import {
  add,
  checkOptions,
  log,
  mul,
  requireChoice,
  requireInteger,
  requirePositive,
  special,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import type { BoSurrogate } from "./posterior.js";
import {
  fitProcess,
  LEAST_NOISE,
  type Process,
  type ProcessKind,
  type ProcessParameters,
  processOf,
  processPosterior,
} from "./process.js";
import { padded, standardised } from "./standardise.js";

/** Where the fit of the noise begins: at the mode of its prior, and where data are few that is often a bad optimum. */
const NOISES = [2, 0.1];
const real = (value: number | number[]): Tensor => tensor(value, { dtype: "float64" });

/** @internal Log density of a gamma distribution, up to a constant, summed over entries. */
export function logGamma(x: Tensor, shape: number, rate: number): Tensor {
  return sum(sub(mul(shape - 1, log(x)), mul(rate, x)));
}

/** Log density of a log-normal distribution, up to a constant, summed over entries. */
function logLogNormal(x: Tensor, location: number, spread: number): Tensor {
  const logs = log(x);
  return sum(sub(mul(-0.5, square(mul(sub(logs, location), 1 / spread))), logs));
}

/** @internal */
export const noisePrior = (noise: Tensor) => logGamma(noise, 1.1, 0.05);

/** Options of {@link gp}. */
export interface GpOptions {
  /**
   * What is thought of length scales: `"gamma"` (default, shape 3 and rate 6), or `"dim-scaled"`, log-normal around lengths that
   * grow with the root of the dimension, for many inputs.
   */
  readonly lengthPrior?: "gamma" | "dim-scaled";
}

interface ScaledParameters {
  readonly variance: Tensor;
  readonly kernel: { readonly length: Tensor };
}

const processes = new Map<string, { process: Process; start: (noise: number) => ProcessParameters }>();

/** Compiled for each kind and dimension once. */
function kept(key: string, make: () => { kind: ProcessKind; kernel: ParameterTree }) {
  const known = processes.get(key);
  if (known !== undefined) return known;
  const { kind, kernel } = make();
  const start = (noise: number) => ({ kernel, noise: rawOf(real(noise - LEAST_NOISE)), mean: real(0) });
  const made = { process: processOf(kind), start };
  processes.set(key, made);
  return made;
}

/** @internal A Matern kernel of smoothness 5/2 with a length for each input, and its usual priors. */
export function scaledMatern(d: number, lengthPrior: "gamma" | "dim-scaled") {
  const dimScaled = lengthPrior === "dim-scaled";
  const location = Math.SQRT2 + Math.log(d) / 2;
  // Both begin at the mode of the prior.
  const length = dimScaled ? Math.exp(location - 3) : 1 / 3;
  const kernel = scale(matern({ length: new Array<number>(d).fill(length) }), 1 / 0.15);
  const logPrior = (parameters: ParameterTree): Tensor => {
    const { variance, kernel: inner } = parameters as unknown as ScaledParameters;
    const lengths = special.softplus(inner.length);
    const lengthTerm = dimScaled ? logLogNormal(lengths, location, Math.sqrt(3)) : logGamma(lengths, 3, 6);
    return add(lengthTerm, logGamma(special.softplus(variance), 2, 0.15));
  };
  return { kernel, logPrior };
}

/** @internal The usual process of d inputs, and where its fit begins. */
export function usualProcess(d: number, lengthPrior: "gamma" | "dim-scaled") {
  return kept(`gp ${lengthPrior} ${d}`, () => {
    const { kernel, logPrior } = scaledMatern(d, lengthPrior);
    const at = (parameters: ParameterTree) => kernel.with(parameters);
    return {
      kernel: kernel.parameters,
      kind: {
        matrix: (parameters, a, b) => at(parameters).matrix(a, b),
        diagonal: (parameters, a) => at(parameters).diagonal(a),
        logPrior: (parameters, noise) => add(logPrior(parameters), noisePrior(noise)),
      },
    };
  });
}

/**
 * The usual Gaussian process: Matern of smoothness 5/2 with a length scale for each input, priors of its parameters, fitted from
 * two starts.
 */
export function gp(options: GpOptions = {}): BoSurrogate {
  checkOptions("gp", options, ["lengthPrior"]);
  const { lengthPrior = "gamma" } = options;
  requireChoice("gp", "lengthPrior", lengthPrior, ["gamma", "dim-scaled"]);
  return {
    name: lengthPrior === "gamma" ? "gp" : "gp, dim-scaled",
    async fit(x, y, { signal } = {}) {
      const data = standardised("gp", x, y);
      const { process, start } = usualProcess(data.x.shape[1], lengthPrior);
      const { parameters } = await fitProcess(process, padded(data), NOISES.map(start), false, signal);
      return processPosterior(process, parameters, data);
    },
  };
}

/** Options of {@link ibnn}. */
export interface IbnnOptions {
  /** Hidden layers, an integer >= 1. Default 3. */
  readonly depth?: number;
  /** Variance of weights times their number of inputs, > 0. Default 10. */
  readonly weightVariance?: number;
  /** Variance of biases, > 0. Default 1.3, with 25 inputs or more 1.6. */
  readonly biasVariance?: number;
  /** `"relu"` (default) or `"erf"`. */
  readonly activation?: Extract<Activation, string>;
}

/** A Bayesian neural network of infinite width: a process whose kernel is fixed. Only its mean and the noise are fitted. */
export function ibnn(options: IbnnOptions = {}): BoSurrogate {
  checkOptions("ibnn", options, ["depth", "weightVariance", "biasVariance", "activation"]);
  const { depth = 3, weightVariance = 10, activation = "relu" } = options;
  requireInteger("ibnn", "depth", depth, 1);
  requirePositive("ibnn", "weightVariance", weightVariance);
  requireChoice("ibnn", "activation", activation, ["relu", "erf"]);
  if (options.biasVariance !== undefined) requirePositive("ibnn", "biasVariance", options.biasVariance);
  return {
    name: "ibnn",
    async fit(x, y, { signal } = {}) {
      const data = standardised("ibnn", x, y);
      const { biasVariance = data.x.shape[1] >= 25 ? 1.6 : 1.3 } = options;
      const { process, start } = kept(`ibnn ${depth} ${weightVariance} ${biasVariance} ${activation}`, () => {
        const kernel = nngp({ kind: "fullyConnected", depth, activation, weightVariance, biasVariance });
        return {
          kernel: kernel.parameters,
          kind: {
            matrix: (parameters, a, b) => kernel.with(parameters).matrix(a, b),
            diagonal: (parameters, a) => kernel.with(parameters).diagonal(a),
            logPrior: (_, noise) => noisePrior(noise),
          },
        };
      });
      const { parameters } = await fitProcess(process, padded(data), NOISES.map(start), true, signal);
      return processPosterior(process, parameters, data);
    },
  };
}
