import { compiledPhase } from "@offprint/bilevel";
import { div, random, sqrt, square, sum, type Tensor, take } from "@offprint/tensor-core";
import type { BlockDraw } from "./block-draws.js";
import type { BlockBatch, BlockProblem } from "./block-problem.js";
import type { BsvrbSettings } from "./options.js";

const draws = 3;
const turns = 20;

/**
 * A step of the lower variables that the correction by gamma leaves stable, `0.5 / (max(1, gamma) L)`: L is the largest curvature of
 * a few drawn blocks, by power iteration on their batches at the beginning.
 */
export function stableLowerStep<X, U, L>(
  problem: BlockProblem<X, U, L>,
  settings: BsvrbSettings,
  drawn: (iteration: number) => BlockDraw<U, L>,
): number {
  const { x, y } = problem.initial;
  const dtype = y.dtype === "float64" ? "float64" : "float32";
  const turn = compiledPhase(
    problem,
    "bsvrb: curvature",
    (d, at: Tensor, rows: Tensor, v: Tensor, batch: BlockBatch<L>) => {
      const unit = div(v, length(v).reshape([-1, 1]));
      const next = d.hvpYY(at, rows, unit, batch);
      return { next, curvature: length(next) };
    },
  );
  let largest = 0;
  for (let draw = 1; draw <= draws; draw++) {
    const { blocks, lower } = drawn(draw);
    const rows = take(y, blocks);
    let v = random.rng(`curvature/${draw}`).normal([...rows.shape], { dtype });
    for (let k = 0; k < turns; k++) {
      const { next, curvature } = turn(x, rows, v, { blocks, data: lower });
      v = next;
      if (k === turns - 1) largest = Math.max(largest, ...curvature.data());
    }
  }
  return 0.5 / (Math.max(1, settings.gamma) * largest);
}

function length(rows: Tensor): Tensor {
  return sqrt(sum(square(rows), 1));
}
