import { requireInteger, requireObject, reshape, ShapeError, type Tensor, transpose } from "@offprint/tensor-core";

/** Experts along each axis of the grid: `[1, 4]` cuts the second axis into four. */
export type Experts = readonly number[];

/** How many there are. */
export const expertCount = (experts: Experts): number => experts.reduce((a, b) => a * b, 1);

/** @throws ShapeError, ValueError unless every number of experts divides its axis. */
export function checkExperts(owner: string, experts: Experts, grid: readonly number[]): void {
  if (experts.length !== grid.length) {
    throw new ShapeError(`${owner}: experts is [${experts}]; give one number for each axis of the grid [${grid}]`);
  }
  experts.forEach((k, axis) => {
    requireInteger(owner, "experts", k, 1);
    if (grid[axis] % k !== 0) {
      throw new ShapeError(`${owner}: ${k} experts do not divide the ${grid[axis]} points of axis ${axis}`);
    }
  });
}

/** Splits every axis into (expert, place), then puts experts first, the last axis' ahead. */
function cut(grid: readonly number[], experts: Experts): { readonly shape: number[]; readonly order: number[] } {
  const axes = grid.length;
  const shape = grid.flatMap((n, axis) => [experts[axis], n / experts[axis]]);
  const order = [
    // The first axis varies fastest in the number of an expert, so it comes last here.
    ...Array.from({ length: axes }, (_, axis) => 1 + 2 * (axes - 1 - axis)),
    ...Array.from({ length: axes }, (_, axis) => 2 + 2 * axis),
  ];
  return { shape, order };
}

/**
 * Equal contiguous blocks of a grid: `[batch, ...grid, n]` to `[batch, experts, ...block, n]`, the first axis varying fastest in
 * the number of an expert.
 * @throws ShapeError where the experts do not divide the grid.
 */
export function partition(x: Tensor, experts: Experts): Tensor {
  requireObject("partition", "x", x, "a tensor");
  requireObject("partition", "experts", experts, "an array of numbers");
  const grid = x.shape.slice(1, -1);
  checkExperts("partition", experts, grid);
  const [batch, n] = [x.shape[0], x.shape[x.rank - 1]];
  const { shape, order } = cut(grid, experts);
  const parts = transpose(reshape(x, [batch, ...shape, n]), [0, ...order, 2 * grid.length + 1]);
  return reshape(parts, [batch, expertCount(experts), ...grid.map((size, axis) => size / experts[axis]), n]);
}

/** The grid from its blocks: the inverse of {@link partition}. */
export function unpartition(x: Tensor, experts: Experts): Tensor {
  requireObject("unpartition", "x", x, "a tensor");
  requireObject("unpartition", "experts", experts, "an array of numbers");
  const block = x.shape.slice(2, -1);
  const grid = block.map((size, axis) => size * (experts[axis] ?? 0));
  checkExperts("unpartition", experts, grid);
  if (x.shape[1] !== expertCount(experts)) {
    throw new ShapeError(`unpartition: x has ${x.shape[1]} blocks; experts [${experts}] are ${expertCount(experts)}`);
  }
  const [batch, n] = [x.shape[0], x.shape[x.rank - 1]];
  const { shape, order } = cut(grid, experts);
  const axes = [0, ...order, 2 * grid.length + 1];
  const cutShape = [batch, ...shape, n];
  const back = axes.map((_, axis) => axes.indexOf(axis));
  return reshape(
    transpose(
      reshape(
        x,
        axes.map((axis) => cutShape[axis]),
      ),
      back,
    ),
    [batch, ...grid, n],
  );
}
