import { linalg } from "@offprint/tensor-core";
import { asTensor, combine, fromTensor, identity, type Matrix, matrix, multiply, spectralNorm } from "./matrix.js";
import type { CheckedNetwork } from "./network.js";
import type { NeuronGroup } from "./neuron-group.js";
import { infinityToOneNorm, type NormPair } from "./product-bound.js";

/** @internal The norm of a Jacobian, exact up to rounding where signs can be enumerated, or `than` where that is larger. */
export function largerNorm(J: Matrix, norm: NormPair, than: number): number {
  // The Frobenius norm, or the sum of magnitudes, is cheap and not below it.
  let sum = 0;
  for (const value of J.values) sum += norm === "l2" ? value * value : Math.abs(value);
  const atMost = norm === "l2" ? Math.sqrt(sum) : sum;
  if (atMost * (1 + 1e-12) <= than) return than;
  return Math.max(than, norm === "l2" ? spectralNorm(J) : infinityToOneNorm(J));
}

/**
 * @internal Applies the linear maps that groups are at some point to the rows of `X` that belong to them; `X` holds the
 * rows of one layer, whose first neuron is `offset`.
 */
export function applyPatterns(
  groups: readonly NeuronGroup[],
  patterns: readonly Float64Array[],
  X: Matrix,
  offset: number,
): Matrix {
  const { columns } = X;
  const out = matrix(X.rows, columns);
  for (const [g, { start, size }] of groups.entries()) {
    const top = start - offset;
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < size; k++) {
        const factor = patterns[g][i * size + k];
        if (factor === 0) continue;
        for (let j = 0; j < columns; j++) {
          out.values[(top + i) * columns + j] += factor * X.values[(top + k) * columns + j];
        }
      }
    }
  }
  return out;
}

/**
 * @internal Walks through the layers of a network with one linear map chosen for every group: `choose(layer)` gives the
 * maps of a layer's groups. The product is the Jacobian at a point where the activations are those maps.
 */
export function patternJacobian(network: CheckedNetwork, choose: (layer: number) => readonly Float64Array[]): Matrix {
  const byLayer = layerGroups(network);
  if (network.kind === "implicit") return implicitJacobian(network, byLayer[0], choose(0));
  if (network.kind === "residual") {
    const d = network.blocks[0].G.columns;
    let J = network.input ?? identity(d);
    for (const [layer, { G, H }] of network.blocks.entries()) {
      const { groups, offset } = byLayer[layer];
      J = combine(1, J, 1, multiply(H, applyPatterns(groups, choose(layer), multiply(G, J), offset)));
    }
    return network.output === undefined ? J : multiply(network.output, J);
  }
  let J = network.weights[0];
  for (let layer = 0; layer + 1 < network.weights.length; layer++) {
    const { groups, offset } = byLayer[layer];
    J = multiply(network.weights[layer + 1], applyPatterns(groups, choose(layer), J, offset));
  }
  return J;
}

/** C (I - P W)^-1 P U */
function implicitJacobian(
  { W, U, C }: Extract<CheckedNetwork, { kind: "implicit" }>,
  { groups, offset }: LayerGroups,
  patterns: readonly Float64Array[],
): Matrix {
  const left = combine(1, identity(W.rows), -1, applyPatterns(groups, patterns, W, offset));
  const right = applyPatterns(groups, patterns, U, offset);
  return multiply(C, fromTensor(linalg.solve(asTensor(left), asTensor(right))));
}

/** @internal */
export interface LayerGroups {
  readonly groups: readonly NeuronGroup[];
  /** First neuron of the layer. */
  readonly offset: number;
}

/** @internal Groups of each hidden layer. */
export function layerGroups({ groups, widths }: CheckedNetwork): LayerGroups[] {
  let offset = 0;
  return widths.map((width, layer) => {
    const own = { groups: groups.filter((group) => group.layer === layer), offset };
    offset += width;
    return own;
  });
}
