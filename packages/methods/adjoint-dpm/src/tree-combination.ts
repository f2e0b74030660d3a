import { add, jitSync, mul, type Tensor, take, tensor, tree } from "@offprint/tensor-core";

const combine = jitSync((factors: Tensor, columns: Tensor[][]): Tensor[] =>
  columns.map((column) => column.map((x, i) => mul(x, take(factors, i).cast(x.dtype))).reduce((a, b) => add(a, b))),
);

/** `factors[0] trees[0] + factors[1] trees[1] + ...`, leaf by leaf, in one pass. */
export function treeCombination<T>(factors: readonly number[], trees: readonly T[]): T {
  const { structure } = tree.flatten(trees[0]);
  const rows = trees.map((each) => tree.leaves<Tensor>(each));
  const columns = rows[0].map((_, leaf) => rows.map((row) => row[leaf]));
  if (columns.length === 0) return trees[0];
  return tree.unflatten<T>(structure, combine(tensor(Float64Array.from(factors)), columns));
}
