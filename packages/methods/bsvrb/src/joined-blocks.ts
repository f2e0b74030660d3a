import { type BilevelProblem, keptFor, type MultiBlockBilevelProblem, trueGradientNorm } from "@offprint/bilevel";
import { arange, checkOptions, div, mul, requireInteger, type Tensor, take } from "@offprint/tensor-core";
import { BlockProblem } from "./block-problem.js";

/** A batch of some blocks. */
export interface JoinedBatch<U, L> {
  /** Their numbers, int32 `[count]`. */
  readonly blocks: Tensor;
  /** Data of their upper functions. */
  readonly upper: U;
  /** Data of their lower functions. */
  readonly lower: L;
}

/** Options of {@link joinBlocks}. */
export interface JoinOptions {
  /** Blocks in a batch. Default all. */
  readonly sampledBlocks?: number;
}

/**
 * A multi-block problem as a plain one, whose y are the rows of all blocks, for methods that know no blocks. The lower function
 * is the sum over blocks, so that each has the curvature of its own; batches are unbiased.
 */
export function joinBlocks<X, U = null, L = U>(
  problem: MultiBlockBilevelProblem<X, U, L>,
  options: JoinOptions = {},
): BilevelProblem<X, Tensor, JoinedBatch<U, L>> {
  const owner = "joinBlocks";
  checkOptions(owner, options, ["sampledBlocks"]);
  const read = new BlockProblem(owner, problem);
  const { count } = read;
  const { sampledBlocks = count } = options;
  requireInteger(owner, "sampledBlocks", sampledBlocks, 1, count);
  const all = arange(count);
  const everything = (): JoinedBatch<U, L> => ({ blocks: all, ...read.full(all) });
  const batch = (rng: Parameters<typeof read.draw>[0]): JoinedBatch<U, L> => {
    const blocks = rng.choice(count, { shape: [sampledBlocks], replace: false });
    return { blocks, ...read.draw(rng, blocks) };
  };
  // The same functions for all problems with the same functions: what is compiled is kept for them.
  const joined = keptFor(read.identity, "bsvrb: joined", () => ({
    upper: (x: X, y: Tensor, { blocks, upper }: JoinedBatch<U, L>) =>
      div(read.upper(read.x.ravel(x), take(y, blocks), { blocks, data: upper }), blocks.size),
    lower: (x: X, y: Tensor, { blocks, lower }: JoinedBatch<U, L>) =>
      mul(read.lower(read.x.ravel(x), take(y, blocks), { blocks, data: lower }), count / blocks.size),
  }));
  const draws = problem.sample !== undefined || sampledBlocks < count;
  const hasFull = problem.full !== undefined || problem.sample === undefined;
  return {
    initial: { x: problem.initial.x, y: read.initial.y },
    ...joined,
    ...(hasFull && { full: { upper: everything(), lower: everything() } }),
    ...(draws && { sample: { upper: batch, lower: batch } }),
  };
}

/** Options of {@link multiBlockHypergradient}. */
export interface MultiBlockHypergradientOptions {
  /** Where the lower variables begin, `[m, d]`. Default the problem's. */
  readonly initial?: Tensor;
  /** Of the lower solutions and of the linear system. Default 1e-10. */
  readonly tolerance?: number;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/**
 * The gradient of the mean over blocks of `f_i(x, y_i*(x))` on all data, with all lower problems solved: for monitoring, as it
 * costs many products with every block.
 * @throws ValueError where the problem draws batches and has no `full`.
 * @example
 * const { gradient, norm, y } = await multiBlockHypergradient(problem, x);
 */
export async function multiBlockHypergradient<X, U = null, L = U>(
  problem: MultiBlockBilevelProblem<X, U, L>,
  x: X,
  options: MultiBlockHypergradientOptions = {},
): Promise<{ gradient: X; norm: number; y: Tensor; objective: number }> {
  const owner = "multiBlockHypergradient";
  checkOptions(owner, options, ["initial", "tolerance", "signal"]);
  const read = new BlockProblem(owner, problem);
  const blocks = arange(read.count);
  const { upper } = read.full(blocks);
  const { gradient, norm, y } = await trueGradientNorm(joinBlocks(problem), x, options);
  const objective = read.upper(read.x.ravel(x), y, { blocks, data: upper }).item() / read.count;
  return { gradient, norm, y, objective };
}
