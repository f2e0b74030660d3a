import {
  type Batches,
  type MultiBlockBilevelProblem,
  type ProblemFunctions,
  type ProblemIdentity,
  problemIdentity,
  refuseMisspelt,
} from "@offprint/bilevel";
import { asVariables, type Raveling, raveling } from "@offprint/solvers";
import { asTensor, isTensor, type Rng, ShapeError, sum, type Tensor, tree, ValueError } from "@offprint/tensor-core";

/** The data of some blocks, with their numbers. */
export interface BlockBatch<B> {
  /** Their numbers, int32 `[count]`. */
  readonly blocks: Tensor;
  /** What the problem's functions get. */
  readonly data: B;
}

/**
 * A multi-block problem as methods compute with it: x is a vector, and the functions are sums over the blocks of a batch.
 * As a block's loss depends on its own row of y alone, gradients of the sums hold those of every block.
 */
export class BlockProblem<X, U, L> implements ProblemFunctions<BlockBatch<U>, BlockBatch<L>> {
  /** m. */
  readonly count: number;
  /** d, the length of a row. */
  readonly width: number;
  /** How x is written as a vector. */
  readonly x: Raveling<X>;
  /** Where x, as a vector, and the rows `[m, d]` begin. */
  readonly initial: { readonly x: Tensor; readonly y: Tensor };
  /** What compiled functions are kept for. */
  readonly identity: ProblemIdentity;

  /** @throws ValueError, ShapeError for what is no problem. */
  constructor(
    readonly owner: string,
    readonly problem: MultiBlockBilevelProblem<X, U, L>,
  ) {
    checkProblem(owner, problem);
    const { blocks, initial } = problem;
    const x = asVariables(initial.x);
    const y = isTensor(initial.y) ? initial.y : asTensor(initial.y, "float64");
    if (y.rank !== 2 || y.shape[0] !== blocks || y.shape[1] < 1) {
      throw new ShapeError(`${owner}: initial.y has shape [${y.shape}]; give [${blocks}, d], a row for each block`);
    }
    if (y.dtype !== "float64" && y.dtype !== "float32") {
      throw new ValueError(`${owner}: initial.y is of ${y.dtype}; give float64 or float32`);
    }
    this.count = blocks;
    this.width = y.shape[1];
    this.x = raveling(`${owner}: x`, x);
    this.initial = { x: this.x.ravel(x), y };
    for (const [name, values] of Object.entries(this.initial)) {
      if (values.data().every((v: number) => Number.isFinite(v))) continue;
      throw new ValueError(`${owner}: initial.${name} holds a number that is not finite`);
    }
    const shapes = tree.leaves<Tensor>(x).map(({ shape, dtype }) => `${dtype}[${shape}]`);
    this.identity = problemIdentity(
      problem,
      `${tree.formatStructure(tree.structure(x))} ${shapes.join(" ")} ${y.dtype}[${this.width}] of ${blocks}`,
    );
  }

  /** The sum of `upper` over the blocks of a batch. */
  upper(x: Tensor, y: Tensor, { blocks, data }: BlockBatch<U>): Tensor {
    return sum(this.losses("upper", x, y, { blocks, data }));
  }

  /** The sum of `lower` over the blocks of a batch. */
  lower(x: Tensor, y: Tensor, { blocks, data }: BlockBatch<L>): Tensor {
    return sum(this.losses("lower", x, y, { blocks, data }));
  }

  /** The problem's own second derivatives of `lower` in the rows of a batch, `[count, d, d]`, where it has them. */
  lowerHessian(x: Tensor, y: Tensor, { blocks, data }: BlockBatch<L>): Tensor | undefined {
    const hessians = this.problem.lowerHessian?.(this.x.unravel(x), y, blocks, data);
    if (hessians === undefined || isSquare(hessians, y)) return hessians;
    throw new ShapeError(
      `${this.owner}: lowerHessian gave ${got(hessians)} for rows [${y.shape}]; it must give [${y.shape}, ${y.shape[1]}]`,
    );
  }

  /** Data of some blocks: drawn, or all where the problem draws none. */
  draw(rng: Rng, blocks: Tensor): Batches<U, L> {
    const drawn = this.problem.sample === undefined ? this.full(blocks) : this.problem.sample(rng, blocks);
    if (drawn?.upper !== undefined && drawn.lower !== undefined) return drawn;
    throw new ValueError(
      `${this.owner}: the problem draws data without \`upper\` or \`lower\`; give both, null where a function takes none`,
    );
  }

  /** All data of some blocks. @throws ValueError where batches are drawn and the problem has no `full`. */
  full(blocks: Tensor): Batches<U, L> {
    const { full, sample } = this.problem;
    if (full !== undefined) return full.call(this.problem, blocks);
    if (sample !== undefined) {
      throw new ValueError(`${this.owner}: the problem draws batches and has no \`full\`; give full(blocks)`);
    }
    // Without batches U and L are null.
    return { upper: null, lower: null } as unknown as Batches<U, L>;
  }

  /** The losses of the blocks of a batch, `[count]`. @throws ShapeError for others. */
  losses<N extends "upper" | "lower">(
    name: N,
    x: Tensor,
    y: Tensor,
    { blocks, data }: BlockBatch<N extends "upper" ? U : L>,
  ): Tensor {
    const losses = this.problem[name](this.x.unravel(x), y, blocks, data as U & L);
    if (losses?.rank === 1 && losses.shape[0] === y.shape[0]) return losses;
    throw new ShapeError(
      `${this.owner}: ${name} gave ${got(losses)} for ${y.shape[0]} blocks; it must give a loss for each`,
    );
  }
}

function isSquare(hessians: Tensor, y: Tensor): boolean {
  const [count, d] = y.shape;
  return hessians.rank === 3 && hessians.shape[0] === count && hessians.shape[1] === d && hessians.shape[2] === d;
}

function got(value: Tensor | undefined): string {
  return value?.shape === undefined ? `a ${typeof value}` : `shape [${value.shape}]`;
}

/** The functions that a problem may leave out. */
const optional = {
  sample: "sample(rng, blocks)",
  full: "full(blocks)",
  lowerHessian: "lowerHessian(x, y, blocks, batch)",
} as const;

function checkProblem<X, U, L>(owner: string, problem: MultiBlockBilevelProblem<X, U, L>): void {
  if (typeof problem !== "object" || problem === null) {
    throw new ValueError(`${owner}: the problem is ${String(problem)}; give { blocks, initial, upper, lower }`);
  }
  for (const name of ["upper", "lower"] as const) {
    if (typeof problem[name] === "function") continue;
    throw new ValueError(`${owner}: the problem has no function \`${name}\`; give ${name}(x, y, blocks, batch)`);
  }
  refuseMisspelt(owner, problem, Object.keys(optional));
  for (const [name, form] of Object.entries(optional)) {
    const given = problem[name as keyof typeof optional];
    if (given === undefined || typeof given === "function") continue;
    throw new ValueError(`${owner}: ${name} is ${String(given)}; give ${form}, or leave it out`);
  }
  const { blocks, initial } = problem;
  if (!Number.isSafeInteger(blocks) || blocks < 1) {
    throw new ValueError(`${owner}: the problem has ${String(blocks)} blocks; it must have an integer of at least 1`);
  }
  if (initial?.x === undefined || initial.y === undefined) {
    throw new ValueError(`${owner}: the problem has no initial x and y; give initial: { x, y }`);
  }
}
