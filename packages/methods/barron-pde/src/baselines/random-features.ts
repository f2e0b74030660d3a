import {
  add,
  checkOptions,
  concatenate,
  cos,
  hostTensor,
  linalg,
  matmul,
  mul,
  ones,
  random,
  relu,
  requireChoice,
  requireInteger,
  requirePositive,
} from "@offprint/tensor-core";
import { requireFunction } from "../require-function.js";
import type { SparseFourier } from "../sparse-fourier.js";
import type { TwoLayerNetwork } from "../two-layer-network.js";

/** Options of `randomNetwork`. */
export interface RandomNetworkOptions {
  /** n, an integer >= 1. */
  readonly width: number;
  /** Hidden units. Default `"cos"`. */
  readonly activation?: "cos" | "relu";
  /** Points at which the output is fitted. Default four times the width. */
  readonly points?: number;
  /** Standard deviation of hidden weights. Default `2 pi / P`, the lowest frequency. */
  readonly deviation?: number;
  /** Of weights and points. Default 0. */
  readonly seed?: number | string;
}

/** What one would do without knowing the function: hidden units at random, the output by least squares. */
export function randomNetwork(u: SparseFourier, options: RandomNetworkOptions): TwoLayerNetwork {
  const owner = "randomNetwork";
  requireFunction(owner, "u", u);
  checkOptions(owner, options, ["width", "activation", "points", "deviation", "seed"]);
  const { width, activation = "cos", points = 4 * width, deviation = (2 * Math.PI) / u.period, seed = 0 } = options;
  requireInteger(owner, "width", width, 1);
  requireChoice(owner, "activation", activation, ["cos", "relu"]);
  requireInteger(owner, "points", points, 1);
  requirePositive(owner, "deviation", deviation);
  const { dimension: d, period } = u;
  const rng = random.rng(seed);
  const hidden = mul(rng.normal([width, d], { dtype: "float64" }), deviation);
  const phases = rng.uniform([width], { dtype: "float64" });
  const x = mul(rng.uniform([points, d], { dtype: "float64" }), period);
  // Cosines of any phase; ramps whose corner lies somewhere in the cube.
  const corner = mul(rng.uniform([width, d], { dtype: "float64" }), period);
  const bias = activation === "cos" ? mul(phases, 2 * Math.PI) : mul(mul(hidden, corner).sum(1), -1);
  const activate = activation === "cos" ? cos : relu;
  const features = concatenate([activate(add(matmul(x, hidden.transpose()), bias)), ones([points, 1], "float64")], 1);
  const solution = linalg.lstsq(features, u.evaluate(x)).data() as Float64Array;
  return {
    activation,
    hidden,
    bias,
    output: hostTensor(solution.slice(0, width), [width], "float64"),
    outputBias: solution[width],
  };
}
