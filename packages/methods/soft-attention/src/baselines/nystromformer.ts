import {
  abs,
  checkOptions,
  div,
  eye,
  matmul,
  max,
  mul,
  requireInteger,
  softmax,
  sub,
  sum,
  swapAxes,
  type Tensor,
} from "@offprint/tensor-core";
import { pooledTokens } from "../bottleneck.js";
import type { HeadAttention } from "../head-attention.js";

/** Options of `nystromformerHeads`. */
export interface NystromformerOptions {
  /** r: the mean of a window of r x r cells (1 x r in a sequence) is a landmark. */
  ratio: number;
  /** Whether windows may reach over the edge of the grid. Default false. */
  padBottleneck?: boolean;
}

const STEPS = 6;

/** Nystromformer's pseudo-inverse: six steps of `Z <- Z (13 I - A Z (15 I - A Z (7 I - A Z))) / 4`, started per matrix. */
export function cubicPinv(a: Tensor): Tensor {
  const identity = eye(a.shape[a.rank - 1], undefined, a.dtype);
  const largest = (axis: number) => {
    return max(sum(abs(a), { axis, keepDims: true }), { axis: [-2, -1], keepDims: true });
  };
  let z = div(swapAxes(a, -1, -2), mul(largest(-1), largest(-2)));
  for (let step = 0; step < STEPS; step++) {
    const az = matmul(a, z);
    const inner = sub(mul(identity, 15), matmul(az, sub(mul(identity, 7), az)));
    z = mul(matmul(z, sub(mul(identity, 13), matmul(az, inner))), 0.25);
  }
  return z;
}

/**
 * Nystromformer: softmax attention through average-pooled landmarks.
 * @see Xiong et al., AAAI 2021, arXiv 2102.03902
 */
export function nystromformerHeads(options: NystromformerOptions): HeadAttention<null> {
  checkOptions("nystromformerHeads", options, ["ratio", "padBottleneck"], ["ratio"]);
  const { ratio, padBottleneck = false } = options;
  requireInteger("nystromformerHeads", "ratio", ratio, 1);
  return {
    sharedQueryKey: false,
    init: () => null,
    apply(_, { query, key, value, grid }) {
      const place = { grid, ratio, padBottleneck };
      const [q, k] = [query, key].map((x) => pooledTokens(x, place));
      const scale = query.shape[query.rank - 1] ** -0.5;
      const weights = (a: Tensor, b: Tensor) => softmax(mul(matmul(a, swapAxes(b, -1, -2)), scale));
      const right = matmul(weights(q, key), value);
      return matmul(weights(query, k), matmul(cubicPinv(weights(q, k)), right));
    },
  };
}
