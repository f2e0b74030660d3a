import {
  asTensor,
  concatenate,
  isTensor,
  matmul,
  maximum,
  ones,
  requireObject,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { blockNorm, timesColumns } from "./column-products.js";
import { type Design, requireFlag } from "./design.js";

/** `f(x) = sum_j max(0, x^T u_j) a_j` with m hidden neurons. */
export interface TwoLayerNet {
  /** `[d, m]` float64, a neuron a column; the last row belongs to the column of ones where there is a bias. */
  readonly U: Tensor;
  /** `[m]` float64. */
  readonly a: Tensor;
  /** Whether a column of ones is appended to the inputs. */
  readonly bias: boolean;
}

/** @internal @throws ValueError, ShapeError for what is no network */
export function requireNetwork(owner: string, net: TwoLayerNet): void {
  requireObject(owner, "net", net, "a TwoLayerNet");
  const { U, a, bias } = net;
  requireFlag(owner, "net.bias", bias);
  if (!isTensor(U) || !isTensor(a)) {
    throw new ValueError(
      `${owner}: net.${isTensor(U) ? "a" : "U"} is no tensor; give a network that was trained or loaded`,
    );
  }
  if (U.rank !== 2 || a.rank !== 1 || U.shape[1] !== a.shape[0]) {
    throw new ShapeError(
      `${owner}: net.U has shape [${U.shape}] and net.a [${a.shape}]; they must be [features, neurons] and [neurons]`,
    );
  }
  for (const [name, weights] of [["U", U] as const, ["a", a] as const]) {
    const bad = weights.storage.kind === "host" ? weights.data().findIndex((value) => !Number.isFinite(value)) : -1;
    if (bad >= 0) throw new ValueError(`${owner}: net.${name} holds ${weights.data()[bad]}; weights must be finite`);
  }
}

/**
 * Outputs `[samples]` of the network; for a classifier the sign is the class. Written in tensor operations, so that it
 * can be differentiated, compiled and exported; give float32 inputs for a float32 graph.
 * @param X `[samples, features]`.
 * @throws ShapeError where X does not have the network's number of features; ValueError where a value is not finite, and
 * for what is no network.
 */
export function predict(net: TwoLayerNet, X: TensorLike): Tensor {
  requireNetwork("predict", net);
  const x = isTensor(X) ? X : asTensor(X, "float64");
  const features = net.U.shape[0] - (net.bias ? 1 : 0);
  if (x.rank !== 2 || x.shape[1] !== features) {
    throw new ShapeError(`predict: X has shape [${x.shape}]; the network takes [samples, ${features}]`);
  }
  if (x.storage.kind === "host") {
    const values = x.data();
    for (let p = 0; p < values.length; p++) {
      if (Number.isFinite(Number(values[p]))) continue;
      const at = `${Math.floor(p / features)}, ${p % features}`;
      throw new ValueError(`predict: X[${at}] is ${values[p]}; remove or replace values that are not finite`);
    }
  }
  const dtype = x.dtype === "float32" ? "float32" : "float64";
  const inputs = x.dtype === dtype ? x : x.cast(dtype);
  const extended = net.bias ? concatenate([inputs, ones([x.shape[0], 1], dtype)], 1) : inputs;
  return matmul(maximum(matmul(extended, net.U.cast(dtype)), 0), net.a.cast(dtype));
}

/** Blocks with a smaller norm are no neurons; where all are below 1, as for targets in a small unit, with such a part of the largest. */
const ZERO_BLOCK = 1e-10;

/**
 * @internal The network of blocks v_i, w_i `[2P, d]`: every v_i != 0 is the neuron v_i / sqrt ||v_i|| with the output
 * weight sqrt ||v_i||, every w_i != 0 the neuron w_i / sqrt ||w_i|| with -sqrt ||w_i||.
 */
export function recoverNetwork(blocks: Float64Array, P: number, d: number, bias: boolean): TwoLayerNet {
  const used: number[] = [];
  const norms = Float64Array.from({ length: 2 * P }, (_, j) => blockNorm(blocks, j * d, d));
  const least = ZERO_BLOCK * norms.reduce((most, norm) => Math.max(most, Math.min(norm, 1)), 0);
  for (let j = 0; j < 2 * P; j++) if (norms[j] > least) used.push(j);
  const m = used.length;
  const U = new Float64Array(d * m);
  const a = new Float64Array(m);
  for (const [column, j] of used.entries()) {
    const root = Math.sqrt(norms[j]);
    a[column] = j < P ? root : -root;
    for (let c = 0; c < d; c++) U[c * m + column] = blocks[j * d + c] / root;
  }
  return { U: tensor(U, { shape: [d, m] }), a: tensor(a), bias };
}

/** @internal Outputs `[n]` on data whose column of ones is there already. */
export function outputsOn(net: TwoLayerNet, { n, d, columns }: Design): Float64Array {
  const m = net.a.size;
  const U = net.U.data();
  const a = net.a.data();
  const out = new Float64Array(n);
  const row = new Float64Array(n);
  const u = new Float64Array(d);
  for (let j = 0; j < m; j++) {
    for (let c = 0; c < d; c++) u[c] = U[c * m + j];
    timesColumns(columns, n, d, u, 0, row);
    for (let k = 0; k < n; k++) if (row[k] > 0) out[k] += row[k] * a[j];
  }
  return out;
}

/** @internal 1/2 sum_j (||u_j||^2 + a_j^2), which beta multiplies. */
export function weightPenalty(net: TwoLayerNet): number {
  let sum = 0;
  for (const value of net.U.data()) sum += value * value;
  for (const value of net.a.data()) sum += value * value;
  return sum / 2;
}
