import type { NeuronGroup } from "./activation.js";
import {
  absolute,
  type Matrix,
  matrix,
  multiply,
  multiplyTransposed,
  multiplyTransposedVector,
  multiplyVector,
  place,
  symmetrized,
  transposed,
} from "./matrix.js";
import { ROUNDOFF } from "./positive-proof.js";
import {
  changingBasis,
  type GroupForm,
  groupForms,
  type Multipliers,
  preservedProjector,
} from "./quadratic-constraint.js";
import { blockProduct } from "./stacked-form.js";

/**
 * @internal One layer's part of the inequality of a feed-forward network, with a storage matrix Q on its output:
 *
 *   [Q_before - own(Q), -cross(Q)^T; -cross(Q), corner(Q)] >= 0
 *
 * on the increments of the layer's input and the free coordinates of its output.
 */
export interface LayerInequality {
  /** Whether `cross` can be anything but 0. */
  readonly crossed: boolean;
  /** `[inputs, inputs]` */
  own(Q: Matrix): Matrix;
  /** `[free, inputs]` */
  cross(Q: Matrix): Matrix;
  /** `[free, free]`; with Q = 0 what bounds the storages from above. */
  corner(Q: Matrix): Matrix;
  /** Q on the free coordinates. */
  free(Q: Matrix): Matrix;
  /** For a layer without a cross term: the storage -M22, for which `corner` vanishes. */
  natural(): Matrix;
  /** Upper bound of what rounding can have done to the whole inequality, times s. */
  errorTimes(before: Matrix, Q: Matrix, s: Float64Array): Float64Array;
}

/** @internal The inequality on all increments: own = W^T M11 W, cross = M12 W, corner = -M22 - Q. */
export function stackedLayer(W: Matrix, groups: readonly NeuronGroup[], multipliers: Multipliers): LayerInequality {
  const forms = groupForms(groups, multipliers);
  const width = W.rows;
  const crossed = forms.some(({ m12 }) => m12.some((value) => value !== 0));
  const minus22 = blockDiagonal(groups, forms, "m22", width, -1);
  const absW = absolute(W);
  const absForm = (block: keyof GroupForm, x: Float64Array): Float64Array =>
    blockProduct(groups, forms, block, matrix(x.length, 1, x), true).values;
  // Entries of the forms are themselves rounded a few times.
  const rounding = 2 * (width + 24) * ROUNDOFF;
  return {
    crossed,
    own: () => symmetrized(multiplyTransposed(W, blockProduct(groups, forms, "m11", W))),
    cross: () => blockProduct(groups, forms, "m12", W),
    corner: (Q) =>
      matrix(
        width,
        width,
        minus22.values.map((value, k) => value - Q.values[k]),
      ),
    free: (Q) => Q,
    natural: () => minus22,
    errorTimes(before, Q, s) {
      const n = W.columns;
      const [sx, sw] = [s.slice(0, n), s.slice(n)];
      const Wx = multiplyVector(absW, sx);
      const inner = absForm("m11", Wx);
      const storage = multiplyVector(absolute(before), sx);
      if (sw.length === 0) {
        return multiplyTransposedVector(absW, inner).map((value, i) => rounding * (value + storage[i]));
      }
      const up = absForm("m12", sw);
      const top = multiplyTransposedVector(
        absW,
        inner.map((value, i) => value + up[i]),
      );
      const [down, diagonal, after] = [absForm("m12", Wx), absForm("m22", sw), multiplyVector(absolute(Q), sw)];
      const out = new Float64Array(s.length);
      for (let i = 0; i < n; i++) out[i] = rounding * (top[i] + storage[i]);
      for (let i = 0; i < width; i++) out[n + i] = rounding * (down[i] + diagonal[i] + after[i]);
      return out;
    },
  };
}

/**
 * @internal The inequality on the increments that keep what is preserved, w = F x + K a with F = J~ W: the constraint of a
 * group is lambda (|K^T u|^2 - |a|^2) >= 0. Of gamma, nu and tau nothing is left.
 */
export function eliminatedLayer(W: Matrix, groups: readonly NeuronGroup[], { lambda }: Multipliers): LayerInequality {
  const width = W.rows;
  const { K, n11, n12, n22 } = freeCoordinates(groups, lambda, width);
  const projectors = groups.map((group) => ({ m11: preservedProjector(group), m12: NONE, m22: NONE }));
  const F = blockProduct(groups, projectors, "m11", W);
  const U = multiplyTransposed(K, W);
  const scaleRows = (a: Matrix, factors: Float64Array): Matrix =>
    matrix(
      a.rows,
      a.columns,
      a.values.map((value, k) => value * factors[Math.floor(k / a.columns)]),
    );
  const [absW, absK] = [absolute(W), absolute(K)];
  const absF = blockProduct(groups, projectors, "m11", absW, true);
  const absU = multiplyTransposed(absK, absW);
  const rounding = 2 * (3 * width + 40) * ROUNDOFF;
  const free = K.columns;
  return {
    crossed: true,
    own: (Q) => {
      const first = multiplyTransposed(U, scaleRows(U, n11));
      const second = multiplyTransposed(F, multiply(Q, F));
      return symmetrized(
        matrix(
          W.columns,
          W.columns,
          first.values.map((value, k) => value + second.values[k]),
        ),
      );
    },
    cross: (Q) => {
      const first = scaleRows(U, n12);
      const second = multiplyTransposed(K, multiply(Q, F));
      return matrix(
        free,
        W.columns,
        first.values.map((value, k) => value + second.values[k]),
      );
    },
    corner: (Q) => {
      const out = symmetrized(multiplyTransposed(K, multiply(Q, K)));
      for (let k = 0; k < out.values.length; k++) out.values[k] = -out.values[k];
      for (let i = 0; i < free; i++) out.values[i * (free + 1)] += n22[i];
      return out;
    },
    free: (Q) => symmetrized(multiplyTransposed(K, multiply(Q, K))),
    natural: () => matrix(width, width),
    errorTimes(before, Q, s) {
      const n = W.columns;
      const [sx, sa] = [s.slice(0, n), s.slice(n)];
      const u = multiplyVector(absU, sx);
      const moved = multiplyVector(absK, sa);
      const through = multiplyVector(
        absolute(Q),
        multiplyVector(absF, sx).map((value, i) => value + moved[i]),
      );
      const first = multiplyTransposedVector(
        absU,
        u.map((value, i) => Math.abs(n11[i]) * value + Math.abs(n12[i]) * sa[i]),
      );
      const second = multiplyTransposedVector(absF, through);
      const storage = multiplyVector(absolute(before), sx);
      const third = multiplyTransposedVector(absK, through);
      const out = new Float64Array(n + free);
      for (let i = 0; i < n; i++) out[i] = rounding * (first[i] + second[i] + storage[i]);
      for (let i = 0; i < free; i++) {
        out[n + i] = rounding * (third[i] + Math.abs(n12[i]) * u[i] + Math.abs(n22[i]) * sa[i]);
      }
      return out;
    },
  };
}

const NONE = new Float64Array(0);

/** K `[width, free]`, and the constraint as n11 |u|^2 + 2 n12 u a - n22 |a|^2 in each free coordinate. */
function freeCoordinates(groups: readonly NeuronGroup[], lambda: Float64Array, width: number) {
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

/** @internal The whole inequality of a layer. */
export function assembled(inequality: LayerInequality, before: Matrix, Q: Matrix): Matrix {
  const own = inequality.own(Q);
  const top = matrix(
    before.rows,
    before.rows,
    before.values.map((value, k) => value - own.values[k]),
  );
  if (!inequality.crossed) return top;
  const corner = inequality.corner(Q);
  const cross = inequality.cross(Q);
  const n = before.rows;
  const X = matrix(n + corner.rows, n + corner.rows);
  place(X, 0, 0, top);
  place(X, n, n, corner);
  place(X, n, 0, cross, -1);
  place(X, 0, n, transposed(cross), -1);
  return X;
}
