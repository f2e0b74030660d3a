import { ShapeError, ValueError } from "@offprint/tensor-core";

/**
 * Where an ADMM run stands, in the paper's symbols; plain arrays, so that it can be stored and given back as `resume`.
 * Blocks come as v_1 ... v_P, w_1 ... w_P.
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
}

/** @internal Zeros: where the paper starts. */
export function initialState(P: number, n: number, d: number, rho: number): AdmmState {
  const blocks = () => new Float64Array(2 * P * d);
  const rows = () => new Float64Array(2 * P * n);
  const samples = () => new Float64Array(n);
  return { k: 0, rho, u: blocks(), v: blocks(), s: rows(), lambda: blocks(), nu: rows(), q: samples(), mu: samples() };
}

/** @internal A copy of a state that fits the problem. */
export function resumedState(owner: string, state: AdmmState, P: number, n: number, d: number): AdmmState {
  const fresh = initialState(P, n, d, state.rho);
  if (!(state.rho > 0)) throw new ValueError(`${owner}: resume.rho is ${state.rho}; give the state of an earlier run`);
  fresh.k = state.k;
  for (const name of ["u", "v", "s", "lambda", "nu", "q", "mu"] as const) {
    const values = Float64Array.from(state[name]);
    if (values.length !== fresh[name].length) {
      throw new ShapeError(
        `${owner}: resume.${name} has ${values.length} entries, not ${fresh[name].length}; ` +
          "give the state of a run on the same data and patterns",
      );
    }
    fresh[name].set(values);
  }
  return fresh;
}
