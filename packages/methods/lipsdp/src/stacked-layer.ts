import { joined, type LayerInequality, plus } from "./layer-inequality.js";
import {
  absolute,
  combine,
  type Matrix,
  matrix,
  multiplyTransposed,
  multiplyTransposedVector,
  multiplyVector,
  place,
  symmetrized,
} from "./matrix.js";
import type { NeuronGroup } from "./neuron-group.js";
import { ROUNDOFF } from "./positive-proof.js";
import { type GroupForm, groupForms, type Multipliers } from "./quadratic-constraint.js";
import { blockProduct } from "./stacked-form.js";

/**
 * @internal The inequality on all increments, u = W x and w: from [u; w]^T M [u; w] >= 0 with M = [M11, M12; M12, M22] it is
 *
 *   [Q_before - W^T M11 W, -W^T M12; -M12 W, -M22 - Q] >= 0.
 */
export function stackedLayer(W: Matrix, groups: readonly NeuronGroup[], multipliers: Multipliers): LayerInequality {
  const forms = groupForms(groups, multipliers);
  const minus22 = blockDiagonal(groups, forms, "m22", W.rows, -1);
  return {
    crossed: forms.some(({ m12 }) => m12.some((value) => value !== 0)),
    own: () => symmetrized(multiplyTransposed(W, blockProduct(groups, forms, "m11", W))),
    cross: () => blockProduct(groups, forms, "m12", W),
    corner: (Q) => combine(1, minus22, -1, Q),
    free: (Q) => Q,
    natural: () => minus22,
    errorTimes: roundingOf(W, groups, forms),
  };
}

/** The same sums with magnitudes, times the roundings behind an entry. */
function roundingOf(
  W: Matrix,
  groups: readonly NeuronGroup[],
  forms: readonly GroupForm[],
): LayerInequality["errorTimes"] {
  const absW = absolute(W);
  const M = (block: keyof GroupForm, x: Float64Array): Float64Array =>
    blockProduct(groups, forms, block, matrix(x.length, 1, x), true).values;
  // Entries of the forms are themselves rounded a few times.
  const rounding = 2 * (W.rows + 24) * ROUNDOFF;
  return (before, Q, s) => {
    const [sx, sw] = [s.slice(0, W.columns), s.slice(W.columns)];
    const u = multiplyVector(absW, sx);
    const storage = multiplyVector(absolute(before), sx);
    if (sw.length === 0) return joined(rounding, plus(multiplyTransposedVector(absW, M("m11", u)), storage), sw);
    const top = multiplyTransposedVector(absW, plus(M("m11", u), M("m12", sw)));
    const bottom = plus(M("m12", u), M("m22", sw), multiplyVector(absolute(Q), sw));
    return joined(rounding, plus(top, storage), bottom);
  };
}

function blockDiagonal(
  groups: readonly NeuronGroup[],
  forms: readonly GroupForm[],
  block: keyof GroupForm,
  n: number,
  factor: number,
): Matrix {
  const out = matrix(n, n);
  for (const [g, form] of forms.entries()) {
    const { start, size } = groups[g];
    place(out, start, start, matrix(size, size, form[block]), factor);
  }
  return out;
}
