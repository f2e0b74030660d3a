import { ShapeError, ValueError } from "@offprint/tensor-core";

/**
 * Where an ADMM run stands, in the paper's symbols, as a tree. Blocks come as v_1 ... v_P, w_1 ... w_P.
 */
export interface AdmmState {
  /** Iterations made. */
  k: number;
  /** rho, the penalty. */
  rho: number;
  /** `[2P, d]`, the unconstrained copy. */
  readonly u: Float64Array;
  /** `[2P, d]`, the block-sparse copy, of which the network is made. */
  readonly v: Float64Array;
  /** `[2P, n]`, the nonnegative copy of G u. */
  readonly s: Float64Array;
  /** `[2P, d]`, scaled dual variable of u = v. */
  readonly lambda: Float64Array;
  /** `[2P, n]`, scaled dual variable of G u = s. */
  readonly nu: Float64Array;
  /** `[n]`, the copy of F u that the loss sees; unused for the squared loss, whose u-step is exact without it. */
  readonly q: Float64Array;
  /** `[n]`, scaled dual variable of F u = q. */
  readonly mu: Float64Array;
  /** `[2P, d]`, G^T s as it is carried along. */
  readonly gs: Float64Array;
  /** `[2P, d]`, G^T nu likewise. */
  readonly gnu: Float64Array;
  /** Step size of block descent; unused by the exact u-update. */
  alpha: number;
  /** Primal residual of the last iteration. */
  primal: number;
  /** Dual residual of it. */
  dual: number;
}

const arrays = ["u", "v", "s", "lambda", "nu", "q", "mu", "gs", "gnu"] as const;

/** @internal Zeros: where the paper starts. */
export function initialState(P: number, n: number, d: number, rho: number, alpha = 1): AdmmState {
  const blocks = () => new Float64Array(2 * P * d);
  const rows = () => new Float64Array(2 * P * n);
  const samples = () => new Float64Array(n);
  return {
    ...{ k: 0, rho, alpha, primal: Infinity, dual: Infinity },
    ...{ u: blocks(), v: blocks(), s: rows(), lambda: blocks(), nu: rows(), q: samples(), mu: samples() },
    ...{ gs: blocks(), gnu: blocks() },
  };
}

/** @internal A copy of a state that fits the problem. */
export function resumedState(owner: string, state: AdmmState, P: number, n: number, d: number): AdmmState {
  const fresh = initialState(P, n, d, state.rho);
  for (const name of arrays) keep(owner, name, state[name], fresh[name]);
  for (const name of ["k", "primal", "dual"] as const) fresh[name] = keptNumber(owner, name, state[name]);
  for (const name of ["rho", "alpha"] as const) fresh[name] = keptPositive(owner, name, state[name]);
  return fresh;
}

/** @internal Copies what a state keeps. @throws ShapeError where it is that of another problem. */
export function keep(owner: string, name: string, given: unknown, to: Float64Array): void {
  if (given instanceof Float64Array && given.length === to.length) {
    to.set(given);
    return;
  }
  const found = given instanceof Float64Array ? `${given.length} entries` : "no array";
  throw new ShapeError(
    `${owner}: resume has ${found} as \`${name}\`, not ${to.length} entries; give the \`state\` of a run on the same data and patterns`,
  );
}

/** @internal @throws ValueError where a state does not hold a penalty or a step size. */
export function keptPositive(owner: string, name: string, given: unknown): number {
  if (typeof given === "number" && given > 0 && given < Infinity) return given;
  throw new ValueError(
    `${owner}: resume holds ${String(given)} as \`${name}\`, which is finite and > 0; give the \`state\` of an earlier run`,
  );
}

/** @internal @throws ValueError where a state does not hold the number. */
export function keptNumber(owner: string, name: string, given: unknown): number {
  if (typeof given === "number" && !Number.isNaN(given)) return given;
  throw new ValueError(`${owner}: resume holds ${String(given)} as \`${name}\`; give the \`state\` of an earlier run`);
}
