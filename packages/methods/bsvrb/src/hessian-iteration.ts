import { addCounts, compiledPhase, type Derivatives } from "@offprint/bilevel";
import { broadcastTo, div, eye, sub, type Tensor, tensor, transpose, vmap } from "@offprint/tensor-core";
import type { BlockBatch, BlockProblem } from "./block-problem.js";
import {
  type Estimator,
  type Iteration,
  type LowerRows,
  type Moved,
  rules,
  type UpperPlace,
  type Weights,
} from "./iteration.js";
import { projectMatrices, solvePositiveDefinite } from "./positive-definite.js";

/** The tracked Hessian of a block, `[d, d]`. */
export interface TrackedHessian {
  /** H_i^t */
  readonly now: Float64Array;
  /** H_i^{t-1}: the same array where the block was not sampled last. */
  readonly before: Float64Array;
}

/** What version 1 keeps of the sampled blocks. */
export interface HessianRows extends LowerRows {
  /** One for each block. */
  readonly hessians: readonly TrackedHessian[];
}

/** G needs, of an iterate: `grad_x f` of the blocks' sum, and `H_i^-1 grad_y f_i`, `[I, d]`. */
interface Direction {
  readonly above: Tensor;
  readonly v: Tensor;
}

/**
 * BSVRB-v1: G with the tracked Hessians, `grad_x f_i - J_i H_i^-1 grad_y f_i`. Between two compiled parts the Hessians are
 * projected and the linear systems solved, a block at a time, as most need neither eigenvalues nor a second factor.
 */
export function hessianIteration<X, U, L>(
  problem: BlockProblem<X, U, L>,
  estimator: Estimator,
  least: number,
): Iteration<U, L, HessianRows> {
  const [estimates, step] = [estimatesPhase(problem, estimator), stepPhase(problem, estimator)];
  const { width } = problem;
  const iterate = (
    place: UpperPlace,
    { hessians, ...rows }: HessianRows,
    weights: Weights,
    upper: BlockBatch<U>,
    lower: BlockBatch<L>,
  ): Moved => {
    const { dtype, shape } = rows.y;
    const h = tensor(joined(hessians), { dtype }).reshape([...shape, width]);
    const { s, next, now, before } = estimates(place, rows, h, weights, upper, lower);
    const tracked = projectMatrices(next, least);
    const v = solutions(knownHessians(hessians, tracked, rows.first), now.y, before?.y);
    const direction = (above: Tensor, values: Float64Array): Direction => ({
      above,
      v: tensor(values, { dtype }).reshape([...shape]),
    });
    const moved = step(place, rows, direction(now.x, v.now), before && direction(before.x, v.before), weights, lower);
    return { ...moved, s, tracked: tensor(tracked) };
  };
  // Two Hessians, or that of now alone; each is d products, or counts as many.
  const hvpYY = width * (estimator === "varianceReduced" ? 2 : 1);
  const cost = () => ({ ...addCounts(estimates.cost, step.cost), hvpYY });
  return Object.defineProperty(iterate, "cost", { get: cost }) as Iteration<U, L, HessianRows>;
}

/** The estimates with this iteration's batch, the Hessians not projected yet, and the gradients of f. */
function estimatesPhase<X, U, L>(problem: BlockProblem<X, U, L>, estimator: Estimator) {
  return compiledPhase(
    problem,
    `bsvrb: v1, estimates, ${estimator}`,
    (
      d,
      { x, previousX }: UpperPlace,
      { y, yBefore, s, first }: LowerRows,
      h: Tensor,
      weights: Weights,
      upper: BlockBatch<U>,
      lower: BlockBatch<L>,
    ) => {
      const { rule } = rules(estimator, first, weights);
      const hessians = (at: Tensor, rows: Tensor) => blockHessians(problem, d, at, rows, lower);
      return {
        s: rule(s, d.gradYG(x, y, lower), () => d.gradYG(previousX, yBefore, lower)),
        next: rule(h, hessians(x, y), () => hessians(previousX, yBefore)),
        now: d.gradsF(x, y, upper),
        before: estimator === "varianceReduced" ? d.gradsF(previousX, yBefore, upper) : null,
      };
    },
  );
}

/** G, the estimate of the gradient in x, and the step along it. */
function stepPhase<X, U, L>(problem: BlockProblem<X, U, L>, estimator: Estimator) {
  return compiledPhase(
    problem,
    `bsvrb: v1, step, ${estimator}`,
    (
      d,
      place: UpperPlace,
      { y, yBefore }: LowerRows,
      now: Direction,
      before: Direction | null,
      weights: Weights,
      lower: BlockBatch<L>,
    ) => {
      const g = (x: Tensor, rows: Tensor, { above, v }: Direction) =>
        div(sub(above, d.mixedXY(x, rows, v, lower)), rows.shape[0]);
      const { ofX } = rules(estimator, null, weights);
      return ofX(place, g(place.x, y, now), () => g(place.previousX, yBefore, before as Direction));
    },
  );
}

/** The second derivatives in y of each block, `[count, d, d]`: the problem's own, or products with every unit vector, for all blocks at once. */
export function blockHessians<X, U, L>(
  problem: BlockProblem<X, U, L>,
  d: Pick<Derivatives<Tensor, Tensor, BlockBatch<U>, BlockBatch<L>>, "hvpYY">,
  x: Tensor,
  y: Tensor,
  batch: BlockBatch<L>,
): Tensor {
  const own = problem.lowerHessian(x, y, batch);
  if (own !== undefined) return own;
  const columns = vmap((unit: Tensor) => d.hvpYY(x, y, broadcastTo(unit, y.shape), batch))(
    eye(y.shape[1], y.shape[1], y.dtype),
  );
  return transpose(columns, [1, 2, 0]);
}

/** The Hessians that G is made of: of a block that is met first, the new one. */
function knownHessians(
  hessians: readonly TrackedHessian[],
  tracked: Float64Array,
  first: Tensor | null,
): readonly TrackedHessian[] {
  if (first === null) return hessians;
  const [isFirst, size] = [first.data(), tracked.length / hessians.length];
  return hessians.map((kept, k) => {
    if (!isFirst[k]) return kept;
    const now = tracked.subarray(k * size, (k + 1) * size);
    return { now, before: now };
  });
}

/** `H_i^-1 grad_y f_i` at this iterate and, where its gradients are given, at the one before. */
function solutions(
  hessians: readonly TrackedHessian[],
  slopes: Tensor,
  slopesBefore: Tensor | undefined,
): { readonly now: Float64Array; readonly before: Float64Array } {
  const d = slopes.shape[1];
  const [now, before] = [Float64Array.from(slopes.data()), Float64Array.from(slopesBefore?.data() ?? [])];
  const row = (values: Float64Array, k: number) => values.subarray(k * d, (k + 1) * d);
  for (const [k, H] of hessians.entries()) {
    const rights = slopesBefore === undefined ? [row(now, k)] : [row(now, k), row(before, k)];
    // One factor serves both where the Hessian is the same.
    if (H.now === H.before) solvePositiveDefinite(H.now, d, rights);
    else for (const [at, right] of rights.entries()) solvePositiveDefinite(at === 0 ? H.now : H.before, d, [right]);
  }
  return { now, before };
}

function joined(hessians: readonly TrackedHessian[]): Float64Array {
  const size = hessians[0].now.length;
  const all = new Float64Array(hessians.length * size);
  for (const [k, { now }] of hessians.entries()) all.set(now, k * size);
  return all;
}
