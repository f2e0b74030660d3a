import { ConvergenceError, random, ValueError } from "@offprint/tensor-core";
import { multiplyVector } from "./matrix.js";
import { type CheckedNetwork, checkNetwork, type Network } from "./network.js";
import { applyGroups } from "./neuron-group.js";
import { largerNorm, layerGroups, patternJacobian } from "./pattern-jacobian.js";
import type { NormPair } from "./product-bound.js";

/** Options of {@link samplingBound}. */
export interface SamplingOptions {
  /** Number of random points; default 1000. */
  readonly points?: number;
  /** Seed of the points; default 0. */
  readonly seed?: number;
  /** Standard deviation of the points' coordinates; default 1. */
  readonly std?: number;
  /** Norms; default `l2`. For `linf-l1` the Jacobian's norm must be enumerable: at most 16 inputs or outputs. */
  readonly norm?: NormPair;
}

/**
 * A lower bound of the Lipschitz constant: the largest Jacobian norm at random normal points. A scalar activation of
 * which only the range of slopes is known is taken as the function `beta x` for x > 0 and `alpha x` otherwise: the bound
 * is then one of the largest constant in the class, which all bounds from slopes must exceed.
 *
 * @throws ValueError for `linf-l1` with more than 16 inputs and outputs; ConvergenceError where an implicit network's
 * fixed point is not found
 */
export function samplingBound(network: Network, options: SamplingOptions = {}): number {
  const { points = 1000, seed = 0, std = 1, norm = "l2" } = options;
  const checked = checkNetwork(network);
  if (norm === "linf-l1" && Math.min(checked.inputs, checked.outputs) > 16) {
    throw new ValueError("samplingBound: linf-l1 enumerates signs, for at most 16 inputs or outputs; select outputs");
  }
  const values = random.rng(seed).normal([points, checked.inputs], { std, dtype: "float64" }).data();
  const evaluator = new Evaluator(checked);
  let largest = 0;
  for (let p = 0; p < points; p++) {
    const x = Float64Array.from(values.subarray(p * checked.inputs, (p + 1) * checked.inputs));
    largest = largerNorm(evaluator.jacobian(x), norm, largest);
  }
  return largest;
}

/** Runs a network at a point, and gives the maps that its activations are there. */
export class Evaluator {
  private readonly layers;

  constructor(private readonly network: CheckedNetwork) {
    this.layers = layerGroups(network);
  }

  /** The Jacobian at x. */
  jacobian(x: Float64Array) {
    const { patterns } = this.run(x);
    return patternJacobian(this.network, (layer) => patterns[layer]);
  }

  /** The output, and the linear map of each group by layer. */
  run(x: Float64Array): { output: Float64Array; patterns: Float64Array[][] } {
    const { network } = this;
    if (network.kind === "implicit") return this.fixedPoint(x);
    const patterns: Float64Array[][] = [];
    if (network.kind === "residual") {
      let state = network.input === undefined ? x : multiplyVector(network.input, x);
      for (const [layer, { G, H, bias }] of network.blocks.entries()) {
        const u = plus(multiplyVector(G, state), bias);
        patterns.push(this.activate(layer, u));
        state = plus(multiplyVector(H, u), state);
      }
      return { output: network.output === undefined ? state : multiplyVector(network.output, state), patterns };
    }
    let state = x;
    for (const [layer, W] of network.weights.entries()) {
      state = plus(multiplyVector(W, state), network.biases[layer]);
      if (layer + 1 < network.weights.length) patterns.push(this.activate(layer, state));
    }
    return { output: state, patterns };
  }

  /** Applies the activation of a layer in place. */
  private activate(layer: number, u: Float64Array): Float64Array[] {
    const { groups, offset } = this.layers[layer];
    return applyGroups(groups, u, offset);
  }

  /** Averaged iteration z <- (z + phi(W z + U x + b)) / 2, which converges wherever the plain one contracts. */
  private fixedPoint(x: Float64Array): { output: Float64Array; patterns: Float64Array[][] } {
    const network = this.network as Extract<CheckedNetwork, { kind: "implicit" }>;
    const input = plus(multiplyVector(network.U, x), network.bias);
    let z: Float64Array = new Float64Array(input.length);
    for (let iteration = 0; iteration < 10000; iteration++) {
      const next = plus(multiplyVector(network.W, z), input);
      const patterns = this.activate(0, next);
      let change = 0;
      for (let i = 0; i < z.length; i++) change = Math.max(change, Math.abs(next[i] - z[i]));
      if (change < 1e-12 * (1 + Math.hypot(...z))) {
        return { output: multiplyVector(network.C, next), patterns: [patterns] };
      }
      z = z.map((value, i) => (value + next[i]) / 2);
    }
    throw new ConvergenceError("samplingBound: the implicit layer did not settle at a fixed point; is it well posed?");
  }
}

function plus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]);
}
