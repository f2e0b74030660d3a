import {
  add,
  broadcastTo,
  checkOptions,
  concatenate,
  div,
  greater,
  mean,
  mul,
  pow,
  requireInteger,
  requirePositive,
  ShapeError,
  slice,
  squeeze,
  stack,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  where,
} from "@offprint/tensor-core";
import type { PdeConstraint } from "./constraint.js";
import { firstDifference, secondDifference } from "./differences.js";
import { lengths } from "./learned-solution.js";

/** Options of {@link diffusionSorption} and {@link solveDiffusionSorption}. */
export interface DiffusionSorptionOptions {
  /** Times of the grid, from 0 on (default 33). */
  readonly times?: number;
  /** Cells in space, of which the grid has the centres (default 64). */
  readonly points?: number;
  /** Last time (default 500). */
  readonly end?: number;
}

/** A batch of problems. */
export interface DiffusionSorptionProblem {
  /** `[batch]` u_0 > 0, the same everywhere. */
  readonly initial: Tensor;
  /** `[batch, times]` known values at the right end, which the loss takes in the place of the physical condition. */
  readonly right?: Tensor;
}

/** D, and the constants of Freundlich's isotherm (Takamoto et al., PDEBench). */
const D = 5e-4;
const [porosity, density, coefficient, exponent] = [0.29, 2880, 3.5e-4, 0.874];
const sorption = ((1 - porosity) / porosity) * density * coefficient * exponent;
const SHIFT = 1e-6;

/** R(u) = 1 + (1 - phi) / phi rho k n (u + 1e-6)^(n - 1), with the power at 0 where u <= 0. */
export function retardation(u: Tensor): Tensor {
  const positive = greater(u, 0);
  const power = pow(add(where(positive, u, 0), SHIFT), exponent - 1);
  return add(1, mul(sorption, power));
}

function checked(owner: string, options: DiffusionSorptionOptions, more: readonly string[] = []) {
  checkOptions(owner, options, ["times", "points", "end", ...more]);
  const { times = 33, points = 64, end = 500 } = options;
  requireInteger(owner, "times", times, 2);
  requireInteger(owner, "points", points, 3);
  requirePositive(owner, "end", end);
  return { times, points, end };
}

/**
 * Diffusion and sorption in a line, `u_t = D / R(u) u_xx` with u = 1 on the left and `u = D u_x` on the right: every expert is
 * given the initial and boundary conditions of the whole line.
 */
export function diffusionSorption(options: DiffusionSorptionOptions = {}): PdeConstraint<DiffusionSorptionProblem> {
  const { times, points, end } = checked("diffusionSorption", options);
  const grid = [times, points] as const;
  const [step, spacing] = [end / (times - 1), 1 / points];
  const t = tensor(Float64Array.from({ length: times }, (_, i) => i / (times - 1))).reshape([1, times, 1]);
  const x = tensor(Float64Array.from({ length: points }, (_, i) => (i + 0.5) / points)).reshape([1, 1, points]);
  const later = (v: Tensor, place: { start: number; stop: number }): Tensor =>
    squeeze(slice(v, [null, { start: 1 }, place]), 2);
  const left = { start: 0, stop: 1 };
  const right = { start: points - 1, stop: points };
  return {
    grid,
    initialWeight: 1,
    input({ initial }) {
      const channels = [t, x, initial.reshape([-1, 1, 1])];
      return stack(
        channels.map((channel) => broadcastTo(channel, [initial.size, ...grid])),
        1,
      );
    },
    terms: (basis) => ({
      u: basis,
      ut: firstDifference(basis, 1, step),
      ux: firstDifference(basis, 2, spacing),
      uxx: secondDifference(basis, 2, spacing),
    }),
    residual: ({ u, ut, uxx }) => sub(ut, mul(div(D, retardation(u)), uxx)),
    rows(basis, { initial }) {
      const batch = initial.size;
      const ux = firstDifference(basis, 2, spacing);
      const start = div(squeeze(slice(basis, [null, { stop: 1 }]), 1), initial.reshape([batch, 1, 1]));
      const ends = [later(basis, left), sub(later(basis, right), mul(D, later(ux, right)))];
      const ones = (count: number, value: number) =>
        tensor(new Float64Array(batch * count).fill(value)).reshape([batch, count]);
      return {
        matrix: concatenate([start, ...ends], 1),
        target: concatenate([ones(points, 1), ones(times - 1, 1), ones(times - 1, 0)], 1),
      };
    },
    loss(fields, { initial, right: known }) {
      const { u, ux } = fields as { u: Tensor; ux: Tensor };
      const u0 = initial.reshape([-1, 1]);
      const at = (v: Tensor, place: { start: number; stop: number }) => squeeze(slice(v, [null, null, place]), 2);
      const wrong = sub(squeeze(slice(u, [null, { stop: 1 }]), 1), u0);
      const end1 = known === undefined ? mul(D, at(ux, right)) : known;
      const residual = this.residual(fields);
      return add(
        add(mean(div(lengths(wrong), mul(Math.sqrt(points), initial))), mean(lengths(sub(at(u, left), 1)))),
        add(mean(lengths(sub(at(u, right), end1))), mean(lengths(residual.reshape([initial.size, -1])))),
      );
    },
  };
}

/** Options of {@link solveDiffusionSorption}. */
export interface SolveDiffusionSorptionOptions extends DiffusionSorptionOptions {
  /** Implicit steps between two times (default 20). */
  readonly stepsBetween?: number;
}

/**
 * The reference: finite volumes of which the grid has the centres, with ghost values 1 on the left and D u_x on the right, and
 * implicit Euler steps by Newton's method.
 *
 * @param initial - `[batch]`.
 * @returns `[batch, times, points]`.
 */
export function solveDiffusionSorption(initial: TensorLike, options: SolveDiffusionSorptionOptions = {}): Tensor {
  const owner = "solveDiffusionSorption";
  const { stepsBetween = 20, ...rest } = options;
  requireInteger(owner, "stepsBetween", stepsBetween, 1);
  const { times, points, end } = checked(owner, rest);
  const u0 = tensor(initial, { dtype: "float64" });
  if (u0.rank !== 1) throw new ShapeError(`${owner}: initial has shape [${u0.shape}]; it must be [batch]`);
  const values = new Float64Array(u0.size * times * points);
  u0.data().forEach((value: number, b: number) => {
    if (!(value >= 0 && value < Infinity)) throw new ValueError(`${owner}: initial holds ${value}; each must be >= 0`);
    let u = new Float64Array(points).fill(value);
    values.set(u, b * times * points);
    for (let k = 1; k < times; k++) {
      for (let s = 0; s < stepsBetween; s++) u = implicitStep(u, end / (times - 1) / stepsBetween);
      values.set(u, (b * times + k) * points);
    }
  });
  return tensor(values).reshape([u0.size, times, points]);
}

/** u with R(u) (u - before) = h D u_xx: Newton on tridiagonal systems. */
function implicitStep(before: Float64Array, h: number): Float64Array<ArrayBuffer> {
  const n = before.length;
  const rate = h * D * n * n;
  const u = Float64Array.from(before);
  for (let newton = 0; newton < 30; newton++) {
    const [lower, main, upper, right] = [0, 0, 0, 0].map(() => new Float64Array(n));
    for (let i = 0; i < n; i++) {
      const shifted = Math.max(u[i], 0) + SHIFT;
      const R = 1 + sorption * shifted ** (exponent - 1);
      const slope = u[i] > 0 ? sorption * (exponent - 1) * shifted ** (exponent - 2) : 0;
      // The ghost on the right is D u_x of the last two cells.
      const next = i < n - 1 ? u[i + 1] : (u[n - 2] - u[n - 1]) * n * D;
      const previous = i > 0 ? u[i - 1] : 1;
      right[i] = -(R * (u[i] - before[i]) - rate * (previous - 2 * u[i] + next));
      main[i] = R + slope * (u[i] - before[i]) + 2 * rate;
      if (i > 0) lower[i] = -rate;
      if (i < n - 1) upper[i] = -rate;
      if (i === n - 1) {
        main[i] += rate * n * D;
        lower[i] -= rate * n * D;
      }
    }
    let largest = 0;
    for (let i = 1; i < n; i++) {
      const factor = lower[i] / main[i - 1];
      main[i] -= factor * upper[i - 1];
      right[i] -= factor * right[i - 1];
    }
    for (let i = n - 1; i >= 0; i--) {
      right[i] = (right[i] - (i < n - 1 ? upper[i] * right[i + 1] : 0)) / main[i];
      u[i] += right[i];
      largest = Math.max(largest, Math.abs(right[i]));
    }
    if (largest < 1e-12) break;
  }
  return u;
}
