/** What a smooth state keeps beside its point, as a tree that survives JSON. */
export type SmoothMemory = { readonly [name: string]: number | Float64Array | null };

/** A smooth function at a point that moves block by block: what the solver keeps up to date instead of computing anew. */
export interface SmoothState {
  /** The point, `[n]`; only `commit` writes it. */
  readonly x: Float64Array;
  /** f at the point. */
  readonly value: number;
  /** The whole gradient at the point, `[n]`. Shared: never write to it. */
  gradient(): Float64Array;
  /** The gradient at the places of `block` into `out` `[t]`; cheaper than all of it where f allows. */
  blockGradient(block: Int32Array, out: Float64Array): void;
  /** Prepares moving along d `[t]` on a block; both stay untouched until `commit`. */
  aim(block: Int32Array, d: Float64Array): void;
  /** f(x + alpha U_b d) - f(x) for what was aimed at. */
  change(alpha: number): number;
  /** x += alpha U_b d. */
  commit(alpha: number): void;
  /** The Hessian of the block at the point, `[t * t]` row-major. */
  blockHessian?(block: Int32Array): Float64Array;
  /** `out = H d` as the objective's `boundTimes`, where what the state keeps makes it cheaper. */
  boundTimes?(block: Int32Array, d: Float64Array, out: Float64Array): void;
  /** Computes everything afresh from x, so that no rounding errors of updates are left. */
  refresh(): void;
  /** Copies of what later values depend on: with it and x, a state goes on bit for bit. */
  save(): SmoothMemory;
}
