import type { NeuronGroup } from "./neuron-group.js";

/**
 * Multipliers of the quadratic constraints, one of each for every neuron group in order: `lambda >= 0`; `gamma`, `nu`,
 * `tau` are free and 0 for scalar activations.
 */
export interface Multipliers {
  /** Of the norms of the increments (or of the slope restriction). */
  readonly lambda: Float64Array;
  /** Of the preserved part, in T. */
  readonly gamma: Float64Array;
  /** Of the preserved part, in P. */
  readonly nu: Float64Array;
  /** Of the preserved part, in S. */
  readonly tau: Float64Array;
}

/** @internal The three blocks of M for one group, `[size, size]` row-major, symmetric. */
export interface GroupForm {
  readonly m11: Float64Array;
  readonly m12: Float64Array;
  readonly m22: Float64Array;
}

/** @internal All multipliers 0. */
export function zeroMultipliers(count: number): Multipliers {
  const zeros = () => new Float64Array(count);
  return { lambda: zeros(), gamma: zeros(), nu: zeros(), tau: zeros() };
}

/** @internal The matrix J of what a group preserves: 1 1^T of a sort, I - v v^T of a reflection, 0 of slopes. */
export function preservedForm({ kind, size, v }: NeuronGroup): Float64Array {
  const J = new Float64Array(size * size);
  if (kind === "sort") return J.fill(1);
  if (kind === "slope") return J;
  const unit = v as Float64Array;
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) J[i * size + j] = (i === j ? 1 : 0) - unit[i] * unit[j];
  return J;
}

/** @internal Whether a group is a linear map of one neuron, as identities are: its increment is known with its input's. */
export function isLinear({ kind, alpha, beta }: NeuronGroup): boolean {
  return kind === "slope" && alpha === beta;
}

/** @internal J as a projector, divided by the group size for a sort; the slope of a linear neuron. */
export function preservedProjector(group: NeuronGroup): Float64Array {
  if (isLinear(group)) return Float64Array.of(group.alpha);
  const J = preservedForm(group);
  return group.kind === "sort" ? J.map((value) => value / group.size) : J;
}

/**
 * @internal An orthonormal basis, as rows `[count, size]`, of what a group does not preserve: the complement of 1 for a
 * sort (Helmert's basis), v for a reflection, everything for slopes, nothing for linear neurons.
 */
export function changingBasis(group: NeuronGroup): { count: number; rows: Float64Array } {
  const { kind, size, v } = group;
  if (isLinear(group)) return { count: 0, rows: new Float64Array(0) };
  if (kind === "slope") return { count: 1, rows: Float64Array.of(1) };
  if (kind === "reflection") return { count: 1, rows: Float64Array.from(v as Float64Array) };
  const rows = new Float64Array((size - 1) * size);
  for (let k = 1; k < size; k++) {
    const norm = Math.sqrt(k * (k + 1));
    for (let j = 0; j < k; j++) rows[(k - 1) * size + j] = 1 / norm;
    rows[(k - 1) * size + k] = -k / norm;
  }
  return { count: size - 1, rows };
}

/**
 * @internal The blocks of M. With T = lambda I + gamma J, P = nu J, S = tau J:
 * M = [T - 2S, P + S; P + S, -T - 2P] (QC-1), or [-2 alpha beta, alpha + beta; alpha + beta, -2] lambda for slopes (QC-2).
 */
export function groupForm(group: NeuronGroup, lambda: number, gamma: number, nu: number, tau: number): GroupForm {
  if (group.kind === "slope") {
    const { alpha, beta } = group;
    return {
      m11: Float64Array.of(-2 * alpha * beta * lambda),
      m12: Float64Array.of((alpha + beta) * lambda),
      m22: Float64Array.of(-2 * lambda),
    };
  }
  const { size } = group;
  const J = preservedForm(group);
  const combine = (diagonal: number, factor: number): Float64Array =>
    J.map((value, k) => factor * value + (k % (size + 1) === 0 ? diagonal : 0));
  return { m11: combine(lambda, gamma - 2 * tau), m12: combine(0, nu + tau), m22: combine(-lambda, -gamma - 2 * nu) };
}

/** @internal The forms of all groups. */
export function groupForms(groups: readonly NeuronGroup[], { lambda, gamma, nu, tau }: Multipliers): GroupForm[] {
  return groups.map((group, g) => groupForm(group, lambda[g], gamma[g], nu[g], tau[g]));
}

/**
 * `[u; w]^T M [u; w]`, which is nonnegative for every pair of increments `u = x - y`, `w = phi(x) - phi(y)`.
 *
 * @param u `[width]` of all groups
 * @param w `[width]`
 */
export function evaluateConstraint(
  groups: readonly NeuronGroup[],
  multipliers: Multipliers,
  u: ArrayLike<number>,
  w: ArrayLike<number>,
): number {
  let sum = 0;
  for (const [g, { m11, m12, m22 }] of groupForms(groups, multipliers).entries()) {
    const { start, size } = groups[g];
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const k = i * size + j;
        const [ui, uj, wi, wj] = [u[start + i], u[start + j], w[start + i], w[start + j]];
        sum += m11[k] * ui * uj + m12[k] * (ui * wj + wi * uj) + m22[k] * wi * wj;
      }
    }
  }
  return sum;
}
