import { linalg, tensor } from "@offprint/tensor-core";
import { dot, factor } from "../block-matrix.js";
import { forestSystem } from "../forest-solve.js";
import type { SmoothState } from "../smooth-state.js";
import type { Workspace } from "../workspace.js";
import { armijo } from "./armijo.js";
import { fullStep, type Step, type Update } from "./step.js";

/** d = -H_b^-1 g_b; on a quadratic the exact minimum over the block. */
export const matrixStep: Update = (space, block, g, id) =>
  fullStep(space, block, space.bounds.of(block, id).factor.solve(negative(g)));

/** d = -alpha (hess_bb f)^-1 g_b with a line search. */
export const newtonStep: Update = (space, block, g) =>
  searched(space, block, g, factor(blockHessian(space.state, block), block.length).solve(negative(g)));

/** min_d g_b^T d + 1/2 d^T H d + M/6 ||d||^3 with the Hessian H: decreases f without a line search. */
export function cubicStep(M: number): Update {
  return (space, block, g) => {
    const t = block.length;
    const H = blockHessian(space.state, block);
    const { values, vectors } = linalg.eigh(tensor(H, { shape: [t, t] }));
    const [lambda, V] = [values.data(), vectors.data()];
    const along = Float64Array.from({ length: t }, (_, j) => {
      let total = 0;
      for (let i = 0; i < t; i++) total += V[i * t + j] * g[i];
      return total;
    });
    // d = -(H + s I)^-1 g with s = M ||d|| / 2, by bisection: the left side's norm falls and the right side's grows.
    const norm = (s: number): number =>
      Math.sqrt(along.reduce((sum, v, j) => sum + (v === 0 ? 0 : (v / (Math.max(0, lambda[j]) + s)) ** 2), 0));
    let low = 0;
    let high = Math.sqrt((M * Math.sqrt(dot(g, g))) / 2);
    for (let round = 0; round < 200 && high - low > 1e-16 * high; round++) {
      const middle = (low + high) / 2;
      if (0.5 * M * norm(middle) > middle) low = middle;
      else high = middle;
    }
    const d = new Float64Array(t);
    if (high > 0) {
      for (let j = 0; j < t; j++) {
        const length = along[j] / (Math.max(0, lambda[j]) + high);
        for (let i = 0; i < t; i++) d[i] -= V[i * t + j] * length;
      }
    }
    return fullStep(space, block, d);
  };
}

/** The exact solution on a forest: of H d = -g for a bound H, or a Newton step with a line search. */
export function messagePassing(space: Workspace): Update {
  const { objective } = space;
  const solve = (A: ReturnType<typeof space.graph>, block: Int32Array, g: Float64Array) =>
    forestSystem("message-passing", A, block).solve(negative(g));
  const { sparseHessian } = objective;
  if (sparseHessian && !objective.quadratic) {
    return (_space, block, g) =>
      searched(space, block, g, solve(sparseHessian.call(objective, space.state.x), block, g));
  }
  const A = space.graph();
  const known: (ReturnType<typeof forestSystem> | undefined)[] = [];
  return (_space, block, g, id) => {
    if (id < 0) return fullStep(space, block, solve(A, block, g));
    const system = (known[id] ??= forestSystem("message-passing", A, block));
    return fullStep(space, block, system.solve(negative(g)));
  };
}

/** The Hessian of a block at the point. */
export function blockHessian(state: SmoothState, block: Int32Array): Float64Array {
  return (state.blockHessian as NonNullable<typeof state.blockHessian>)(block);
}

function searched(space: Workspace, block: Int32Array, g: Float64Array, d: Float64Array): Step {
  space.state.aim(block, d);
  return { d, alpha: armijo(space, block, d, dot(g, d)) };
}

function negative(g: Float64Array): Float64Array {
  return g.map((v) => -v);
}
