import { add, div, mul, square, sub, sum, type Tensor } from "@offprint/tensor-core";
import { type HamiltonianProgram, hamiltonianProgram } from "./hamiltonian.js";
import { halfSquares, type MapTraining, mapTraining } from "./map-training.js";
import { type NetworkShape, type RegressionNetwork, regressionNetwork } from "./regression-network.js";
import type { Padded } from "./standardise.js";
import { type WeightPrograms, weightPrograms } from "./weight-posterior.js";

/** What the density of weights is given: observations and variances. */
export interface DensityData extends Padded {
  /** Variance of the noise of standardised values. */
  readonly noise: Tensor;
  /** Variance of the weights before. */
  readonly prior: Tensor;
}

/** Programs of a network, made once for each shape and number of inputs. */
export interface NetworkPrograms {
  readonly network: RegressionNetwork;
  readonly weights: WeightPrograms;
  /** Adam on minus the log density. */
  readonly pretraining: MapTraining<DensityData>;
  readonly hamiltonian: HamiltonianProgram<DensityData>;
}

/** Log density of weights, up to a constant: Gaussian noise and a Gaussian prior. */
export function logDensity({ apply }: RegressionNetwork) {
  return (weights: Tensor, { x, y, mask, noise, prior }: DensityData): Tensor => {
    const misfit = sum(mul(mask, square(sub(y, apply(weights, x)))));
    return mul(-1, add(div(mul(0.5, misfit), noise), div(halfSquares(weights), prior)));
  };
}

const made = new Map<string, NetworkPrograms>();
const LEARNING_RATE = 1e-3;

/** @internal */
export function networkPrograms(d: number, shape: NetworkShape): NetworkPrograms {
  const key = JSON.stringify([d, shape.hidden, shape.activation ?? "tanh"]);
  const known = made.get(key);
  if (known !== undefined) return known;
  const network = regressionNetwork(d, shape);
  const density = logDensity(network);
  const programs: NetworkPrograms = {
    network,
    weights: weightPrograms(network),
    pretraining: mapTraining((weights: Tensor, data: DensityData) => mul(-1, density(weights, data)), LEARNING_RATE),
    hamiltonian: hamiltonianProgram(density),
  };
  made.set(key, programs);
  return programs;
}
