import { conjugateGradientsSync } from "@offprint/solvers";
import { sparse } from "@offprint/tensor-core";
import type { LinearSystem } from "../src/index.js";
import { gridLaplacian } from "./grid.js";

/** exp(1 - 1 / (1 - min(1, |x - c|^2 / r^2))): 1 at c, 0 from the distance r on. */
function bump(x: number, y: number, cx: number, cy: number, r: number): number {
  const square = ((x - cx) ** 2 + (y - cy) ** 2) / r ** 2;
  return square >= 1 ? 0 : Math.exp(1 - 1 / (1 - square));
}

/** The diffusion coefficient: hardly any in the first half of the period, much in the second. */
export function diffusion(t: number): number {
  const wave = Math.sin(2 * Math.PI * t);
  return Math.max(0.1 * wave, -10 * wave);
}

/** Least and greatest coefficient. */
export const DIFFUSION_RANGE = [0, 10] as const;

/** What a step has of its own: the matrix, and the source times dt. */
export interface Step {
  readonly A: sparse.CsrMatrix;
  readonly heating: Float64Array;
}

/**
 * The heat equation on the unit square with a moving source and a coefficient that changes with time, by Crank and
 * Nicolson's scheme: (I - K / 2) u+ = (I + K / 2) u + dt F with K = kappa dt Laplacian, on the (nx - 1)^2 interior points.
 */
export class HeatEquation {
  /** Steps so far. */
  step = 0;
  /** The solution now. */
  u: Float64Array;
  private readonly nx: number;
  private readonly dt: number;
  private readonly laplacian: sparse.CsrMatrix;

  /** @param known - matrix and source of every step, filled as they are needed: several simulations share them. */
  constructor(
    nx: number,
    dt = 1e-3,
    private readonly known: Step[] = [],
  ) {
    this.nx = nx;
    this.dt = dt;
    this.laplacian = gridLaplacian(nx - 1);
    this.u = this.field((x, y) => bump(x, y, 0.5, 0.5, 0.25));
  }

  private field(value: (x: number, y: number) => number): Float64Array {
    const { nx } = this;
    const side = nx - 1;
    return Float64Array.from({ length: side * side }, (_, k) =>
      value((Math.floor(k / side) + 1) / nx, ((k % side) + 1) / nx),
    );
  }

  private stepOf(k: number): Step {
    const { dt, nx } = this;
    const middle = (k + 0.5) * dt;
    const half = (diffusion(middle) * dt * nx * nx) / 2;
    // The Laplacian is positive on its diagonal only.
    const A = this.laplacian.withValues(this.laplacian.values.map((v) => (v > 0 ? 1 : 0) + half * v));
    const [cx, cy] = [0.5 + Math.cos(16 * Math.PI * middle) / 4, 0.5 + Math.sin(16 * Math.PI * middle) / 4];
    return { A, heating: this.field((x, y) => dt * 32 * bump(x, y, cx, cy, 0.125)) };
  }

  /** The system of the next step. Its context is the coefficient now, half a step behind the one in the matrix. */
  next(): LinearSystem & { readonly b: Float64Array; readonly initial: Float64Array; readonly context: number } {
    const { u } = this;
    this.known[this.step] ??= this.stepOf(this.step);
    const { A, heating } = this.known[this.step]!;
    // (I + K / 2) u = 2 u - A u
    const b = sparse.multiplyVector(A, u);
    for (let i = 0; i < b.length; i++) b[i] = 2 * u[i]! - b[i]! + heating[i]!;
    return { A, b, initial: u, context: diffusion(this.step * this.dt) };
  }

  /** Takes the solution of that system. */
  accept(u: Float64Array): void {
    this.u = u;
    this.step += 1;
  }

  /** `steps` systems, each to be accepted before the next is drawn. */
  *systems(steps: number): Generator<LinearSystem> {
    for (let k = 0; k < steps; k++) yield this.next();
  }
}

/** Iterations of CG without a preconditioner over the same steps. */
export function plainCg(nx: number, steps: number, known?: Step[]): { iterations: number; u: Float64Array } {
  const heat = new HeatEquation(nx, undefined, known);
  let iterations = 0;
  for (let k = 0; k < steps; k++) {
    const { A, b, initial } = heat.next();
    const result = conjugateGradientsSync(A, b, { initial, tolerance: 1e-8 });
    iterations += result.iterations;
    heat.accept(result.x);
  }
  return { iterations, u: heat.u };
}
