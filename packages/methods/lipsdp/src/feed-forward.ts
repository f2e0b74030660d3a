import type { Parts } from "@offprint/solvers";
import {
  absolute,
  choleskyFactor,
  combine,
  type Matrix,
  matrix,
  multiply,
  multiplyTransposedVector,
  multiplyVector,
  spectralNorm,
  symmetrized,
  transposed,
} from "./matrix.js";
import type { CheckedFeedForward } from "./network.js";
import type { NeuronGroup } from "./neuron-group.js";
import { provePositive, ROUNDOFF } from "./positive-proof.js";
import type { NormPair } from "./product-bound.js";
import type { Multipliers } from "./quadratic-constraint.js";

/** @internal Layers of a feed-forward network as the programmes and certificates use them. */
export interface Chain {
  readonly weights: readonly Matrix[];
  /** Groups of each hidden layer, numbered within the layer. */
  readonly groups: readonly (readonly NeuronGroup[])[];
  /** Number of groups before each hidden layer. */
  readonly offsets: readonly number[];
}

/** @internal */
export function chainOf({ weights, groups, widths }: Pick<CheckedFeedForward, "weights" | "groups" | "widths">): Chain {
  let neurons = 0;
  let before = 0;
  const offsets: number[] = [];
  const byLayer = widths.map((width, layer) => {
    const own = groups.filter((group) => group.layer === layer);
    const local = own.map((group) => ({ ...group, start: group.start - neurons }));
    offsets.push(before);
    before += own.length;
    neurons += width;
    return local;
  });
  return { weights, groups: byLayer, offsets };
}

/**
 * @internal For l2: a first layer with more inputs than neurons is replaced by a square factor R of W W^T, a last layer
 * with more outputs than neurons by one of W^T W. The unit ball's image can only grow, R R^T >= W W^T, which is proved;
 * where the proof does not succeed the layer stays.
 */
export function shrunk(network: CheckedFeedForward, norm: NormPair): CheckedFeedForward {
  if (norm !== "l2" || network.weights.length < 2) return network;
  const weights = [...network.weights];
  const first = weights[0];
  if (first.columns > first.rows) weights[0] = dominatingFactor(first) ?? first;
  const last = weights[weights.length - 1];
  if (last.rows > last.columns) {
    const factor = dominatingFactor(transposed(last));
    if (factor !== undefined) weights[weights.length - 1] = transposed(factor);
  }
  return { ...network, weights, inputs: weights[0].columns, outputs: weights[weights.length - 1].rows };
}

/** Square R with R R^T >= W W^T, proved, and hardly larger. */
function dominatingFactor(W: Matrix): Matrix | undefined {
  const n = W.rows;
  const gram = symmetrized(multiply(W, transposed(W)));
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram.values[i * (n + 1)];
  const absW = absolute(W);
  for (let slack = 1e-12; slack < 1e-6; slack *= 10) {
    const raised = matrix(n, n, gram.values.slice());
    for (let i = 0; i < n; i++) raised.values[i * (n + 1)] += (slack * trace) / n;
    const R = choleskyFactor(raised);
    if (R === undefined) continue;
    const difference = combine(1, symmetrized(multiply(R, transposed(R))), -1, gram);
    const absR = absolute(R);
    const proved = provePositive(difference, (s) => {
      const own = multiplyVector(absR, multiplyTransposedVector(absR, s));
      const other = multiplyVector(absW, multiplyTransposedVector(absW, s));
      return own.map((value, i) => 2 * (W.columns + n + 8) * ROUNDOFF * (value + other[i]));
    });
    if (proved) return R;
  }
  return undefined;
}

/** @internal Square R with R R^T = W W^T up to rounding: the same image of the unit ball. */
export function squareFactor(W: Matrix): Matrix {
  const gram = symmetrized(multiply(W, transposed(W)));
  const n = gram.rows;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram.values[i * (n + 1)];
  for (let slack = 1e-13; ; slack *= 10) {
    const raised = matrix(n, n, gram.values.slice());
    for (let i = 0; i < n; i++) raised.values[i * (n + 1)] += (slack * trace) / n + Number.MIN_VALUE;
    const R = choleskyFactor(raised);
    if (R !== undefined) return R;
  }
}

/** @internal Weights of norm 1 and the norms; or, exactly, powers of two near the norms. */
export function* normalizing(weights: readonly Matrix[], exact = false): Parts<{ weights: Matrix[]; norms: number[] }> {
  const norms: number[] = [];
  for (const W of weights) {
    const norm = spectralNorm(W) || 1;
    norms.push(exact ? 2 ** Math.round(Math.log2(norm)) : norm);
    yield;
  }
  return {
    norms,
    weights: weights.map((W, i) =>
      matrix(
        W.rows,
        W.columns,
        W.values.map((value) => value / norms[i]),
      ),
    ),
  };
}

/**
 * @internal Multipliers of the network with weights W_i / norms_i as multipliers of the network with weights W_i. The
 * increments of layer i grow by norms_1 ... norms_i, the bound (l2: its square) by the product N (N^2) of all.
 */
export function denormalizedMultipliers(
  m: Multipliers,
  chain: Chain,
  norms: readonly number[],
  norm: NormPair,
): Multipliers {
  const total = norms.reduce((product, value) => product * value, 1);
  const power = norm === "l2" ? total * total : total;
  const factors: number[] = [];
  let grown = 1;
  for (const [layer, groups] of chain.groups.entries()) {
    grown *= norms[layer];
    for (let g = 0; g < groups.length; g++) factors.push(power / (grown * grown));
  }
  const scale = (x: Float64Array): Float64Array => x.map((value, g) => value * factors[g]);
  return { lambda: scale(m.lambda), gamma: scale(m.gamma), nu: scale(m.nu), tau: scale(m.tau) };
}

/** @internal Groups of consecutive layers of a network, for splitting. */
export function subNetwork(network: CheckedFeedForward, from: number, to: number): CheckedFeedForward {
  const weights = network.weights.slice(from, to);
  const widths = weights.slice(0, -1).map(({ rows }) => rows);
  let start = 0;
  const groups: NeuronGroup[] = [];
  for (const [layer] of widths.entries()) {
    for (const group of network.groups) {
      if (group.layer !== from + layer) continue;
      groups.push({ ...group, layer, start });
      start += group.size;
    }
  }
  return {
    ...network,
    weights,
    biases: network.biases.slice(from, to),
    widths,
    groups,
    inputs: weights[0].columns,
    outputs: weights[weights.length - 1].rows,
  };
}
