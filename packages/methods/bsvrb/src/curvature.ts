import { compiledPhase } from "@offprint/bilevel";
import { div, linalg, mul, NonFiniteError, random, sum, type Tensor, take, ValueError } from "@offprint/tensor-core";
import type { BlockDraw } from "./block-draws.js";
import type { BlockBatch, BlockProblem } from "./block-problem.js";
import type { BsvrbSettings } from "./options.js";

const draws = 3;
const turns = 20;

/**
 * Throws where the lower functions of the drawn blocks, with the data of some draws, do not curve upwards along drawn directions:
 * these come to the trace of their second derivatives, which strong convexity makes positive. Where it is not, rows and linear
 * systems run away, or stand still.
 * @throws ValueError
 */
export function requireCurved<X, U, L>(
  problem: BlockProblem<X, U, L>,
  drawn: (iteration: number) => BlockDraw<U, L>,
): void {
  let total = 0;
  for (let draw = 1; draw <= draws; draw++) {
    const { along } = powerTurns(problem, drawn(draw), draw, 1);
    total += along;
    // Of noisy data one draw may be wrong.
    if (!(total <= 0)) return;
  }
  throw new ValueError(
    `${problem.owner}: lower does not curve upwards in y: its second derivatives along ${draws} drawn directions add up to ${total}; ` +
      "give a function that is strongly convex in y",
  );
}

/**
 * A step of the lower variables that the estimates leave stable, `0.5 / (k L)`: k is gamma, 1 at least, by which changes are
 * enlarged, or for running means the iterations by which they lag; L is the largest curvature of a few drawn blocks, by power
 * iteration on their batches at the beginning.
 * @throws NonFiniteError
 */
export function stableLowerStep<X, U, L>(
  problem: BlockProblem<X, U, L>,
  { estimator, gamma, alpha, sampledBlocks }: BsvrbSettings,
  drawn: (iteration: number) => BlockDraw<U, L>,
): number {
  let largest = 0;
  for (let draw = 1; draw <= draws; draw++) {
    largest = Math.max(largest, powerTurns(problem, drawn(draw), draw, turns).largest);
  }
  if (!Number.isFinite(largest)) {
    throw new NonFiniteError(
      `${problem.owner}: the second derivatives of lower are as large as ${largest} where the run begins; write the problem in other units`,
    );
  }
  const k = estimator === "movingAverage" ? problem.count / (sampledBlocks * alpha) : Math.max(1, gamma);
  return 0.5 / (k * largest);
}

/** Power iteration on each drawn block: the largest curvature found, and the sum of those along the last directions. */
function powerTurns<X, U, L>(
  problem: BlockProblem<X, U, L>,
  { blocks, lower }: BlockDraw<U, L>,
  draw: number,
  count: number,
): { readonly largest: number; readonly along: number } {
  const { x, y } = problem.initial;
  const turn = compiledPhase(
    problem,
    "bsvrb: curvature",
    (d, at: Tensor, rows: Tensor, v: Tensor, batch: BlockBatch<L>) => {
      const unit = div(v, linalg.norm(v, { axis: 1 }).reshape([-1, 1]));
      const next = d.hvpYY(at, rows, unit, batch);
      return { next, curvature: linalg.norm(next, { axis: 1 }), along: sum(mul(unit, next)) };
    },
  );
  const rows = take(y, blocks);
  const dtype = y.dtype === "float64" ? "float64" : "float32";
  let found = { largest: 0, along: 0 };
  let v = random.rng(`curvature/${draw}`).normal([...rows.shape], { dtype });
  for (let k = 0; k < count; k++) {
    const { next, curvature, along } = turn(x, rows, v, { blocks, data: lower });
    v = next;
    found = { largest: Math.max(...curvature.data()), along: along.item() };
  }
  return found;
}
