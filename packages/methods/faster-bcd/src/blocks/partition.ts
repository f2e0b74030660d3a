import { IndexError, requireObject, ValueError } from "@offprint/tensor-core";
import { ascendingOrder } from "./order.js";

/** Cuts an order of the variables into blocks of `size`; the last one may be smaller. */
export function cut(order: Int32Array, size: number): Int32Array[] {
  const blocks: Int32Array[] = [];
  for (let from = 0; from < order.length; from += size) blocks.push(order.slice(from, from + size).sort());
  return blocks;
}

/** The order 0, 1, ..., n - 1. */
export function consecutive(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}

/** Indices by `weights`, ascending: variables that are alike share a block. */
export function sorted(weights: ArrayLike<number>): Int32Array {
  return ascendingOrder(weights);
}

/** The smallest, the largest, the second smallest, ... : every block holds both kinds. */
export function averaged(weights: ArrayLike<number>): Int32Array {
  const order = ascendingOrder(weights);
  const n = order.length;
  return Int32Array.from({ length: n }, (_, k) => (k % 2 === 0 ? order[k / 2] : order[n - 1 - (k - 1) / 2]));
}

/** The user's own blocks, checked: they must not overlap and must cover all variables. */
export function checkedBlocks(owner: string, blocks: readonly ArrayLike<number>[], n: number): Int32Array[] {
  const holder = new Int32Array(n).fill(-1);
  const checked = blocks.map((block, b) => {
    requireObject(owner, `blocks[${b}]`, block, "an array of variables");
    if (block.length === 0) throw new ValueError(`${owner}: blocks[${b}] is empty; leave it out`);
    for (let k = 0; k < block.length; k++) {
      const i = block[k];
      if (!(Number.isInteger(i) && i >= 0 && i < n)) {
        throw new IndexError(`${owner}: blocks[${b}] holds ${i}; variables are the integers from 0 to ${n - 1}`);
      }
      if (holder[i] >= 0)
        throw new ValueError(
          `${owner}: variable ${i} is in blocks[${holder[i]}] and blocks[${b}]; blocks must not overlap`,
        );
      holder[i] = b;
    }
    return Int32Array.from(block);
  });
  const missing = holder.indexOf(-1);
  if (missing >= 0)
    throw new ValueError(`${owner}: variable ${missing} is in no block; blocks must cover all ${n} variables`);
  return checked;
}
