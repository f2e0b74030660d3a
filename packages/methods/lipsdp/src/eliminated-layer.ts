import { joined, type LayerInequality, plus } from "./layer-inequality.js";
import {
  absolute,
  combine,
  type Matrix,
  matrix,
  multiply,
  multiplyTransposed,
  multiplyTransposedVector,
  multiplyVector,
  scaled,
  scaledRows,
  symmetrized,
} from "./matrix.js";
import type { NeuronGroup } from "./neuron-group.js";
import { ROUNDOFF } from "./positive-proof.js";
import { changingBasis, type Multipliers, preservedProjector } from "./quadratic-constraint.js";
import { blockProduct } from "./stacked-form.js";

/**
 * @internal The inequality on the increments that keep what is preserved, w = F x + K a with F = J~ W. With U = K^T W the
 * constraint is N11 |U x|^2 + 2 a^T N12 U x - N22 |a|^2 >= 0, for groups lambda (|U x|^2 - |a|^2) >= 0; gamma, nu and tau
 * have vanished. With w^T Q w it is
 *
 *   [Q_before - U^T N11 U - F^T Q F, -(N12 U + K^T Q F)^T; -(N12 U + K^T Q F), N22 - K^T Q K] >= 0.
 */
export function eliminatedLayer(W: Matrix, groups: readonly NeuronGroup[], { lambda }: Multipliers): LayerInequality {
  const { K, n11, n12, n22 } = freeCoordinates(groups, lambda, W.rows);
  const F = preservedPart(groups, W, false);
  const U = multiplyTransposed(K, W);
  const onFree = (Q: Matrix): Matrix => symmetrized(multiplyTransposed(K, multiply(Q, K)));
  return {
    crossed: true,
    own: (Q) =>
      symmetrized(combine(1, multiplyTransposed(U, scaledRows(U, n11)), 1, multiplyTransposed(F, multiply(Q, F)))),
    cross: (Q) => combine(1, scaledRows(U, n12), 1, multiplyTransposed(K, multiply(Q, F))),
    corner: (Q) => {
      const out = scaled(onFree(Q), -1);
      for (const [i, value] of n22.entries()) out.values[i * (n22.length + 1)] += value;
      return out;
    },
    free: onFree,
    natural: () => matrix(W.rows, W.rows),
    errorTimes: roundingOf(W, groups, { K, n11, n12, n22 }),
  };
}

/** K `[width, free]`, and the diagonals N11, N12, N22. */
interface FreeCoordinates {
  readonly K: Matrix;
  readonly n11: Float64Array;
  readonly n12: Float64Array;
  readonly n22: Float64Array;
}

/** The same sums with magnitudes, times the roundings behind an entry. */
function roundingOf(
  W: Matrix,
  groups: readonly NeuronGroup[],
  { K, n11, n12, n22 }: FreeCoordinates,
): LayerInequality["errorTimes"] {
  const [absW, absK] = [absolute(W), absolute(K)];
  const absF = preservedPart(groups, absW, true);
  const absU = multiplyTransposed(absK, absW);
  const rounding = 2 * (3 * W.rows + 40) * ROUNDOFF;
  const times = (diagonal: Float64Array, x: Float64Array) => x.map((value, i) => Math.abs(diagonal[i]) * value);
  return (before, Q, s) => {
    const [sx, sa] = [s.slice(0, W.columns), s.slice(W.columns)];
    const u = multiplyVector(absU, sx);
    const Qw = multiplyVector(absolute(Q), plus(multiplyVector(absF, sx), multiplyVector(absK, sa)));
    const top = plus(
      multiplyTransposedVector(absU, plus(times(n11, u), times(n12, sa))),
      multiplyTransposedVector(absF, Qw),
      multiplyVector(absolute(before), sx),
    );
    const bottom = plus(multiplyTransposedVector(absK, Qw), times(n12, u), times(n22, sa));
    return joined(rounding, top, bottom);
  };
}

const NONE = new Float64Array(0);

/** J~ X, or |J~| X. */
function preservedPart(groups: readonly NeuronGroup[], X: Matrix, magnitudes: boolean): Matrix {
  const projectors = groups.map((group) => ({ m11: preservedProjector(group), m12: NONE, m22: NONE }));
  return blockProduct(groups, projectors, "m11", X, magnitudes);
}

function freeCoordinates(groups: readonly NeuronGroup[], lambda: Float64Array, width: number): FreeCoordinates {
  const bases = groups.map(changingBasis);
  const free = bases.reduce((sum, { count }) => sum + count, 0);
  const K = matrix(width, free);
  const [n11, n12, n22] = [new Float64Array(free), new Float64Array(free), new Float64Array(free)];
  let column = 0;
  for (const [g, group] of groups.entries()) {
    const { count, rows } = bases[g];
    const { alpha, beta, kind, size, start } = group;
    for (let k = 0; k < count; k++, column++) {
      for (let i = 0; i < size; i++) K.values[(start + i) * free + column] = rows[k * size + i];
      n11[column] = kind === "slope" ? -2 * alpha * beta * lambda[g] : lambda[g];
      n12[column] = kind === "slope" ? (alpha + beta) * lambda[g] : 0;
      n22[column] = kind === "slope" ? 2 * lambda[g] : lambda[g];
    }
  }
  return { K, n11, n12, n22 };
}
