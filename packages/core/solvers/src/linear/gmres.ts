import type { sparse } from "@offprint/tensor-core";
import { checkCount } from "./iteration.js";
import type { OperatorLike } from "./linear-operator.js";
import { type LinearSolverOptions, type LinearSolverResult, LinearSystem } from "./linear-solver.js";
import { addScaled, dot, norm } from "./vector-arithmetic.js";

/** Options of {@link gmres}. */
export interface GmresOptions extends LinearSolverOptions {
  /** Iterations between restarts: memory is `restart + 1` vectors (default `min(n, 50)`). */
  readonly restart?: number;
}

/**
 * Solves `A x = b` for any square `A` by restarted GMRES (Saad and Schultz 1986), preconditioned from the right, so that
 * residual norms are those of `A x = b` itself.
 *
 * @param a - `[n, n]` matrix or operator.
 * @param b - Right-hand side, `[n]`.
 * @returns `status` is `"breakdown"` where a whole cycle made no progress or the Krylov space ended without a solution.
 * @throws ShapeError; ValueError for values that are not finite; AbortedError.
 */
export function gmres(a: OperatorLike, b: sparse.VectorLike, options: GmresOptions = {}): LinearSolverResult {
  const system = new LinearSystem(a, b, options, "gmres");
  const restart = options.restart ?? Math.min(system.n, 50);
  checkCount(restart, "gmres: restart");
  const cycle = new ArnoldiCycle(system, restart);
  let iterations = 0;
  let previous = Number.POSITIVE_INFINITY;
  for (;;) {
    const before = cycle.begin(iterations);
    if (before <= system.threshold) return system.result("converged", iterations);
    // No more than the recurrence claims is believed: every cycle begins with the true residual.
    if (iterations > 0 && !(before < previous * (1 - 1e-12))) return system.result("breakdown", iterations);
    if (iterations >= system.maxIterations) return system.result("maxIterations", iterations);
    previous = before;
    const { taken, exhausted } = cycle.run(iterations);
    iterations += taken;
    cycle.finish(taken);
    if (exhausted) return system.result("breakdown", iterations);
  }
}

/** One cycle between restarts: basis, Hessenberg matrix reduced by rotations, and the least-squares solution. */
class ArnoldiCycle {
  private readonly system: LinearSystem;
  private readonly restart: number;
  private readonly basis: Float64Array[];
  /** Column `j` of the triangular factor at `j * (restart + 1)`. */
  private readonly upper: Float64Array;
  private readonly cosines: Float64Array;
  private readonly sines: Float64Array;
  private readonly rhs: Float64Array;
  private readonly work: Float64Array;

  constructor(system: LinearSystem, restart: number) {
    this.system = system;
    this.restart = restart;
    this.basis = Array.from({ length: restart + 1 }, () => new Float64Array(system.n));
    this.upper = new Float64Array(restart * (restart + 1));
    this.cosines = new Float64Array(restart);
    this.sines = new Float64Array(restart);
    this.rhs = new Float64Array(restart + 1);
    this.work = new Float64Array(system.n);
  }

  /** Computes the residual anew and starts the basis with it; returns its norm. */
  begin(iterations: number): number {
    const first = this.basis[0];
    this.system.residual(first);
    const size = norm(first);
    if (iterations === 0) this.system.monitor.report(0, size);
    this.system.history[iterations] = size;
    if (size > 0) for (let i = 0; i < first.length; i++) first[i] /= size;
    this.rhs.fill(0);
    this.rhs[0] = size;
    return size;
  }

  /** Steps until the residual is small enough or the cycle is full; `exhausted` if the space ended without a solution. */
  run(iterations: number): { taken: number; exhausted: boolean } {
    const { system, restart, rhs, upper } = this;
    const most = Math.min(restart, system.maxIterations - iterations);
    for (let j = 0; j < most; j++) {
      const size = this.orthogonalize(j);
      const diagonal = j * (restart + 1) + j;
      const invariant = upper[diagonal + 1] === 0;
      this.rotate(j);
      // An invariant space holds the solution unless A is singular on it, which a vanishing pivot shows.
      if (invariant && upper[diagonal] <= 1e-13 * size) return { taken: j, exhausted: true };
      const k = iterations + j + 1;
      system.history[k] = Math.abs(rhs[j + 1]);
      system.monitor.report(k, system.history[k]);
      if (system.history[k] <= system.threshold || invariant) return { taken: j + 1, exhausted: false };
    }
    return { taken: most, exhausted: false };
  }

  /** Next basis vector by Gram-Schmidt done twice; returns the norm of the product before. */
  private orthogonalize(j: number): number {
    const { system, basis, upper, work, restart } = this;
    const next = basis[j + 1];
    if (system.precondition === null) {
      system.apply(basis[j], next);
    } else {
      system.precondition(basis[j], work);
      system.apply(work, next);
    }
    const size = norm(next);
    const column = j * (restart + 1);
    upper.fill(0, column, column + restart + 1);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i <= j; i++) {
        const part = dot(basis[i], next);
        upper[column + i] += part;
        addScaled(next, -part, basis[i]);
      }
    }
    let remaining = norm(next);
    if (remaining <= 1e-15 * size) remaining = 0;
    upper[column + j + 1] = remaining;
    if (remaining > 0) for (let i = 0; i < next.length; i++) next[i] /= remaining;
    return size;
  }

  private rotate(j: number): void {
    const { upper, cosines, sines, rhs, restart } = this;
    const column = j * (restart + 1);
    for (let i = 0; i < j; i++) {
      const [above, below] = [upper[column + i], upper[column + i + 1]];
      upper[column + i] = cosines[i] * above + sines[i] * below;
      upper[column + i + 1] = cosines[i] * below - sines[i] * above;
    }
    const [above, below] = [upper[column + j], upper[column + j + 1]];
    const radius = Math.hypot(above, below);
    cosines[j] = radius === 0 ? 1 : above / radius;
    sines[j] = radius === 0 ? 0 : below / radius;
    upper[column + j] = radius;
    upper[column + j + 1] = 0;
    rhs[j + 1] = -sines[j] * rhs[j];
    rhs[j] *= cosines[j];
  }

  /** Adds the correction of the first `taken` basis vectors to the iterate. */
  finish(taken: number): void {
    const { system, basis, upper, rhs, work, restart } = this;
    for (let i = taken - 1; i >= 0; i--) {
      let sum = rhs[i];
      for (let j = i + 1; j < taken; j++) sum -= upper[j * (restart + 1) + i] * rhs[j];
      rhs[i] = sum / upper[i * (restart + 1) + i];
    }
    work.fill(0);
    for (let i = 0; i < taken; i++) addScaled(work, rhs[i], basis[i]);
    if (system.precondition === null) {
      addScaled(system.x, 1, work);
    } else {
      system.precondition(work, basis[0]);
      addScaled(system.x, 1, basis[0]);
    }
  }
}
