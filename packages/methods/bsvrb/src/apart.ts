import { grad, type Tensor, take, ValueError } from "@offprint/tensor-core";
import type { BlockDraw } from "./block-draws.js";
import type { BlockProblem } from "./block-problem.js";

/**
 * Throws where the loss of a drawn block changes with the row of another, as means or a softmax over the batch make it: gradients
 * of sums would then not be those of the blocks, and change with the blocks that are drawn beside one.
 * @throws ValueError
 */
export function requireApart<X, U, L>(problem: BlockProblem<X, U, L>, { blocks, ...data }: BlockDraw<U, L>): void {
  const { x, y } = problem.initial;
  const [rows, { width }] = [take(y, blocks), problem];
  for (const name of ["lower", "upper"] as const) {
    const batch = { blocks, data: data[name] as U & L };
    const slopes = Float64Array.from(grad((at: Tensor) => take(problem.losses(name, x, at, batch), 0))(rows).data());
    const largest = (from: number, to?: number) =>
      slopes.slice(from, to).reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    // Below it is rounding, as of a mean that is taken away again.
    if (!(largest(width) > 1e-5 * largest(0, width))) continue;
    const numbers = blocks.data();
    throw new ValueError(
      `${problem.owner}: the loss that ${name} gives for block ${numbers[0]} changes with the rows of other blocks of the batch; ` +
        "a block's loss must depend on its own row alone",
    );
  }
}
