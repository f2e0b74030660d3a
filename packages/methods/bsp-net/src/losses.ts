import {
  abs,
  add,
  asTensor,
  cast,
  greater,
  less,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  ShapeError,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { type BspOutput, CONNECTED, INSIDE } from "./decoder.js";
import { type Phase, requirePhase } from "./phase.js";

/** The loss of a phase. */
export interface BspLoss {
  /** How far the shape is from the values: a scalar. */
  readonly reconstruction: Tensor;
  /** With all other terms: a scalar. */
  readonly total: Tensor;
}

function occupancies(values: TensorLike, like: Tensor): Tensor {
  const v = asTensor(values);
  if (v.shape.join() !== like.shape.join()) {
    throw new ShapeError(`bspLoss: values have shape [${v.shape}]; the occupancy has [${like.shape}]`);
  }
  requireUnitInterval(v);
  return cast(v, like.dtype);
}

/** Throws for values that are neither 1 inside, 0 outside nor between, where they are known and not of a trace. */
function requireUnitInterval(values: Tensor): void {
  if (values.storage.kind !== "host") return;
  const bad = values.data().find((v) => !(Number(v) >= 0 && Number(v) <= 1));
  if (bad !== undefined) throw new ValueError(`bspLoss: values hold ${bad}; give 1 inside and 0 outside`);
}

/** Sum over T of what exceeds 1 and what falls below 0, so that connections stay in [0, 1]. */
function leavingUnitInterval(t: Tensor): Tensor {
  return sum(sub(maximum(sub(t, 1), 0), minimum(t, 0)));
}

/** Sum over T of the distances to 0 or 1, whichever the threshold makes of it. */
function notBinary(t: Tensor): Tensor {
  return sum(where(less(t, CONNECTED), abs(t), abs(sub(t, 1))));
}

/**
 * L_overlap: minus the mean over points and convexes of C* where an inside point is in more than one convex. It pushes
 * such points out of convexes; as C* is below 0.01 there, it is small.
 * @param convexes C*, `[batch, n, c]`
 * @param values 1 inside and 0 outside, `[batch, n, 1]`
 */
export function overlapLoss(convexes: Tensor, values: TensorLike): Tensor {
  const inside = cast(less(convexes, INSIDE), convexes.dtype);
  const several = cast(greater(sum(inside, { axis: -1, keepDims: true }), 1), convexes.dtype);
  const m = stopGradient(mul(mul(inside, several), values));
  return neg(mean(mul(convexes, m)));
}

/**
 * The loss of a phase. Phase 0: mean squared error, plus sums that draw W to 1 and T into [0, 1]. Phases 1 and 2: how
 * far inside points are outside and outside points are not one unit outside. Phases 3 and 4: the same, plus a sum that
 * draws T to 0 and 1. Phases 2 and 4 add the overlap loss. All coefficients are 1.
 * @param out of `bspDecode` in the same phase
 * @param values 1 inside and 0 outside, `[batch, n, 1]`
 * @throws ShapeError where the values do not fit; ValueError for values outside [0, 1].
 * @see equations 6 to 12 of the paper
 */
export function bspLoss(
  out: BspOutput,
  values: TensorLike,
  T: TensorLike,
  W: TensorLike | null,
  phase: Phase,
): BspLoss {
  const rule = requirePhase("bspLoss", phase);
  const v = occupancies(values, out.occupancy);
  const t = asTensor(T);
  if (rule.continuous) {
    if (W === null) throw new ShapeError("bspLoss: phase 0 draws W to 1; give it as [c, 1], not null");
    const reconstruction = mean(square(sub(v, out.occupancy)));
    const weights = sum(abs(sub(W, 1)));
    return { reconstruction, total: add(add(reconstruction, weights), leavingUnitInterval(t)) };
  }
  const s = out.occupancy;
  const outside = mul(sub(1, v), sub(1, minimum(s, 1)));
  const reconstruction = mean(add(outside, mul(v, maximum(s, 0))));
  let total = reconstruction;
  if (rule.pulled) total = add(total, notBinary(t));
  if (rule.overlap) total = add(total, overlapLoss(out.convexes, v));
  return { reconstruction, total };
}
