import {
  acos,
  add,
  checkOptions,
  clip,
  div,
  expandDims,
  matmul,
  mul,
  requireInteger,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
} from "@offprint/tensor-core";
import { dna } from "./alphabet.js";
import type { KernelModel } from "./relaxed-model.js";

/** The slope of arccos is infinite at 1. */
const LARGEST_COSINE = 1 - 1e-9;

/**
 * The tangent kernel `[n, m]` of infinitely wide ReLU networks without biases between rows `[n, dim]` and `[m, dim]`; traceable.
 * `@offprint/gaussian-process` has it with biases, any width of the readout and other activations; here its diagonal is clamped as in BDI.
 * @param depth layers of weights; 1 is the linear kernel `x x' / dim`
 */
export function reluNtk(a: Tensor, b: Tensor, depth: number): Tensor {
  requireInteger("reluNtk", "depth", depth, 1);
  const dim = a.shape[1];
  const size = (x: Tensor) => sum(square(x), 1);
  const scale = mul(1 / dim, sqrt(mul(expandDims(size(a), 1), expandDims(size(b), 0))));
  // Sigma, over the product of both sizes, which no layer changes.
  let cosine = clip(div(matmul(a, transpose(b)), mul(dim, scale)), -LARGEST_COSINE, LARGEST_COSINE);
  let tangent = cosine;
  for (let l = 1; l < depth; l++) {
    const share = sub(1, mul(1 / Math.PI, acos(cosine)));
    const next = add(mul(1 / Math.PI, sqrt(sub(1, square(cosine)))), mul(share, cosine));
    tangent = add(next, mul(tangent, share));
    cosine = clip(next, -LARGEST_COSINE, LARGEST_COSINE);
  }
  return mul(scale, tangent);
}

/** Options of {@link ntkModel}. */
export interface NtkModelOptions {
  /** Default {@link dna}. */
  readonly alphabet?: readonly string[];
  /** Layers of weights, >= 1. Default 6. */
  readonly depth?: number;
}

/** The kernel of BDI (Chen and others 2022), which knows no language: {@link reluNtk} of one-hot rows. */
export function ntkModel(options: NtkModelOptions = {}): KernelModel {
  checkOptions("ntkModel", options, ["alphabet", "depth"]);
  const { alphabet = dna, depth = 6 } = options;
  requireInteger("ntkModel", "depth", depth, 1);
  const rows = (x: Tensor) => reshape(x, [x.shape[0], -1]);
  return {
    alphabet,
    kernel: (a, b) => reluNtk(rows(a), rows(b), depth),
    diagonal: (a) => mul(depth / rows(a).shape[1], sum(square(rows(a)), 1)),
  };
}
