import {
  add,
  checkOptions,
  div,
  eye,
  linalg,
  matmul,
  matrixTrace,
  mean,
  mul,
  requireObject,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
} from "@offprint/tensor-core";
import type { ForwardMap } from "./forward-map.js";

/** What {@link bidirectionalLoss} needs of the offline table. */
export type OfflineFeatures = Pick<ForwardMap, "phi" | "y" | "weights">;

/** Options of {@link bidirectionalLoss}. */
export interface BidirectionalOptions {
  /** y_h, the score that a design is asked for, in standard deviations; a number, or one for each `[M]`. */
  readonly target: number | Tensor;
  /** Whether all designs together predict the table, instead of each alone. Default false. */
  readonly joint?: boolean;
  /** beta_h over the mean diagonal of the designs' kernel. Default 1e-6. */
  readonly ridge?: number;
}

/**
 * Both losses of designs with features `[M, d]`; traceable. Forward: what the table predicts of a design,
 * `(phi_h w - y_h)^2`. Backward: what a design, were it all that is known, predicts of the table,
 * `mean_i (phi_i phi_h y_h / (k_hh + beta_h) - y_i)^2`; jointly by the system of all designs, one value for all.
 */
export function bidirectionalLoss(
  designs: Tensor,
  offlineFeatures: OfflineFeatures,
  options: BidirectionalOptions,
): { readonly forward: Tensor; readonly backward: Tensor } {
  requireObject("bidirectionalLoss", "designs", designs, "a tensor");
  requireObject("bidirectionalLoss", "offlineFeatures", offlineFeatures, "OfflineFeatures");
  const { phi, y, weights } = offlineFeatures;
  checkOptions("bidirectionalLoss", options, ["target", "joint", "ridge"], ["target"]);
  return {
    forward: square(sub(matmul(designs, weights), options.target)),
    backward: featuresBackward(designs, tableOf(phi, y), options),
  };
}

/** The offline table as the backward loss sees it: where it has more rows than features, through their products alone. */
export type BackwardTable =
  | { readonly phi: Tensor; readonly y: Tensor }
  | {
      /** Phi' Phi / N, `[d, d]`. */
      readonly gram: Tensor;
      /** Phi' y / N, `[d]`. */
      readonly moment: Tensor;
      /** y' y / N. */
      readonly power: Tensor;
    };

/** The smaller of the two forms: a design then costs `min(N d, d^2)` operations. */
export function tableOf(phi: Tensor, y: Tensor): BackwardTable {
  const [n, d] = phi.shape;
  if (n <= d) return { phi, y };
  const turned = transpose(phi);
  return {
    gram: div(matmul(turned, phi), n),
    moment: div(matmul(turned, y), n),
    power: div(sum(square(y)), n),
  };
}

/** L_bwd of designs with features `[M, d]`: one for each, or jointly the same for all. */
export function featuresBackward(designs: Tensor, table: BackwardTable, options: BidirectionalOptions): Tensor {
  // A row for each set of designs that predict the table together: the weights v with which they do.
  const v = backwardWeights(designs, options);
  const [rows] = v.shape;
  const losses =
    "phi" in table
      ? mean(square(sub(matmul(table.phi, transpose(v)), table.y.reshape([-1, 1]))), 0)
      : add(sub(sum(mul(matmul(v, table.gram), v), 1), mul(2, matmul(v, table.moment))), table.power);
  return rows === designs.shape[0] ? losses : add(mul(sum(designs, 1), 0), losses);
}

/** `phi_h y_h / (k_hh + beta_h)` for each design `[M, d]`, or jointly `Phi_h' (K_hh + beta_h I)^-1 y_h` `[1, d]`. */
function backwardWeights(designs: Tensor, { target, joint = false, ridge = 1e-6 }: BidirectionalOptions): Tensor {
  if (!joint) return mul(designs, div(target, mul(sum(square(designs), 1), 1 + ridge)).reshape([-1, 1]));
  const [count] = designs.shape;
  const kernel = matmul(designs, transpose(designs));
  const shares = linalg.solve(penalised(kernel, ridge), targets(kernel, target));
  return matmul(shares.reshape([1, count]), designs);
}

/** L_bwd of designs with kernels `[M, N]` with the table and `[M, M]`, or its diagonal `[M]`, with each other. */
export function kernelBackward(cross: Tensor, own: Tensor, y: Tensor, options: BidirectionalOptions): Tensor {
  const { target, joint = false, ridge = 1e-6 } = options;
  const predicted = joint
    ? matmul(linalg.solve(penalised(own, ridge), targets(own, target)), cross)
    : mul(cross, div(target, mul(own, 1 + ridge)).reshape([-1, 1]));
  const loss = mean(square(sub(predicted, y)), -1);
  return joint ? add(mul(sum(cross, 1), 0), loss) : loss;
}

function penalised(kernel: Tensor, ridge: number): Tensor {
  const [count] = kernel.shape;
  return add(kernel, mul(eye(count, count, kernel.dtype), mul(matrixTrace(kernel), ridge / count)));
}

/** `[M]`: y_h for each design. */
function targets(kernel: Tensor, target: number | Tensor): Tensor {
  return add(mul(sum(kernel, 1), 0), target);
}
