import {
  asTensor,
  checkOptions,
  IndexError,
  random,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import type { BlockProblem } from "./block-problem.js";

/** What an iteration sees. */
export interface BlockDraw<U, L> {
  /** The blocks that it samples, distinct, int32 `[I]`. */
  readonly blocks: Tensor;
  /** The data of their upper functions. */
  readonly upper: U;
  /** The data of their lower functions. */
  readonly lower: L;
}

/** A draw of the user's own: blocks may be plain numbers. */
export type GivenDraw<U, L> = Omit<BlockDraw<U, L>, "blocks"> & { readonly blocks: TensorLike };

/** How blocks are drawn. */
export interface DrawSettings {
  /** I. */
  readonly sampledBlocks: number;
  /** Independently in each iteration, or in a random order of all, again and again. */
  readonly blockSampling: "uniform" | "pass";
  /** Decides what is drawn. */
  readonly seed: number | string;
}

/** The draw of each iteration, from 1, the user's own where given: a function of its number and the seed alone, so that runs can be gone on with. */
export function blockDraws<X, U, L>(
  problem: BlockProblem<X, U, L>,
  { sampledBlocks, blockSampling, seed }: DrawSettings,
  draw?: (iteration: number) => GivenDraw<U, L>,
): (iteration: number) => BlockDraw<U, L> {
  if (draw !== undefined) {
    return (iteration) => {
      const given = draw(iteration);
      checkOptions(`${problem.owner}: draw`, given, ["blocks", "upper", "lower"], ["blocks", "upper", "lower"]);
      const { blocks, upper, lower } = given;
      return { blocks: checkedBlocks(problem.owner, blocks, sampledBlocks, problem.count), upper, lower };
    };
  }
  const blocksOf =
    blockSampling === "uniform"
      ? (_: number, rng: random.Rng) => rng.choice(problem.count, { shape: [sampledBlocks], replace: false })
      : passes(problem.count, sampledBlocks, seed);
  return (iteration) => {
    const rng = random.rng(`${seed}/iteration/${iteration}`);
    const blocks = blocksOf(iteration, rng);
    return { blocks, ...problem.draw(rng, blocks) };
  };
}

/** Passes over the blocks in random orders; the blocks that are over at the end of a pass, fewer than I, sit out. */
function passes(count: number, sampled: number, seed: number | string): (iteration: number) => Tensor {
  const length = Math.floor(count / sampled);
  let [kept, order] = [-1, new Int32Array(0)];
  return (iteration) => {
    const pass = Math.floor((iteration - 1) / length);
    if (pass !== kept) {
      [kept, order] = [pass, Int32Array.from(random.rng(`${seed}/pass/${pass}`).permutation(count).data())];
    }
    const from = ((iteration - 1) % length) * sampled;
    return asTensor(order.slice(from, from + sampled), "int32");
  };
}

function checkedBlocks(owner: string, given: TensorLike, sampled: number, count: number): Tensor {
  const blocks = asTensor(given);
  if (blocks.rank !== 1 || blocks.size !== sampled) {
    throw new ValueError(`${owner}: draw gave blocks of shape [${blocks.shape}]; sampledBlocks is ${sampled}`);
  }
  const numbers = blocks.data();
  const wrong = numbers.find((i: number) => !Number.isInteger(i) || i < 0 || i >= count);
  if (wrong !== undefined) {
    throw new IndexError(`${owner}: draw gave block ${wrong}; blocks are numbered from 0 to ${count - 1}`);
  }
  if (new Set(numbers).size < sampled) {
    throw new ValueError(`${owner}: draw gave a block twice ([${[...numbers]}]); blocks must be distinct`);
  }
  return asTensor(blocks, "int32");
}

/** The numbers of all blocks, in parts of `size`; the last part is filled up with block 0. */
export function blockParts(blocks: number, size: number): Int32Array[] {
  return Array.from({ length: Math.ceil(blocks / size) }, (_, part) =>
    Int32Array.from({ length: size }, (__, k) => (part * size + k < blocks ? part * size + k : 0)),
  );
}
