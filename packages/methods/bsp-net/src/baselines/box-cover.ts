import { checkOptions, requireInteger, requireObject, ShapeError } from "@offprint/tensor-core";
import type { BspShape } from "../shape.js";
import type { VoxelGrid } from "../voxels.js";

/** Options of `boxCover`. */
export interface BoxCoverOptions {
  /** Most boxes, >= 1. Default 24. */
  boxes?: number;
}

/** Uncovered cells that a box is grown from. */
const STARTS = 64;

/** Sums of a grid over all boxes at the origin, so that the sum over any box takes eight of them. */
function summedCells({ cells, resolution: r }: VoxelGrid, counted: Uint8Array): Float64Array {
  const m = r + 1;
  const sums = new Float64Array(m * m * m);
  for (let i = 1; i <= r; i++) {
    for (let j = 1; j <= r; j++) {
      let row = 0;
      for (let k = 1; k <= r; k++) {
        const cell = ((i - 1) * r + j - 1) * r + k - 1;
        // A filled cell gains 1 the first time; an empty one costs 1.
        row += cells[cell] ? (counted[cell] ? 0 : 1) : -1;
        const at = (i * m + j) * m + k;
        sums[at] = row + sums[at - m * m] + sums[at - m] - sums[at - m * m - m];
      }
    }
  }
  return sums;
}

function gain(sums: Float64Array, m: number, [a, b, c, d, e, f]: readonly number[]): number {
  const s = (i: number, j: number, k: number) => sums[(i * m + j) * m + k];
  return s(d, e, f) - s(a, e, f) - s(d, b, f) - s(d, e, c) + s(a, b, f) + s(a, e, c) + s(d, b, c) - s(a, b, c);
}

/** Grows a box side by side while that gains most. */
function grown(sums: Float64Array, r: number, cell: number): { box: number[]; gain: number } {
  const [i, j, k] = [Math.floor(cell / (r * r)), Math.floor(cell / r) % r, cell % r];
  let box = [i, j, k, i + 1, j + 1, k + 1];
  let best = gain(sums, r + 1, box);
  for (;;) {
    let better: number[] | null = null;
    for (let side = 0; side < 6; side++) {
      // A side may have to go through cells that cost before it reaches those that gain.
      for (let to = box[side]; to >= 0 && to <= r; to += side < 3 ? -1 : 1) {
        const wider = box.map((x, i) => (i === side ? to : x));
        const its = gain(sums, r + 1, wider);
        if (its > best) [better, best] = [wider, its];
      }
    }
    if (better === null) return { box, gain: best };
    box = better;
  }
}

/**
 * The baseline of axis-aligned boxes: greedily, the box that gains most filled cells over the empty ones in it, grown
 * from each of a number of uncovered cells, until none gains.
 * @throws ValueError for an option out of range.
 */
export function boxCover(grid: VoxelGrid, options: BoxCoverOptions = {}): BspShape {
  requireObject("boxCover", "grid", grid, "a VoxelGrid");
  checkOptions("boxCover", options, ["boxes"]);
  const { boxes = 24 } = options;
  requireInteger("boxCover", "boxes", boxes, 1);
  const { cells, resolution: r } = grid;
  requireInteger("boxCover", "resolution of the grid", r, 1);
  if (cells?.length !== r ** 3) {
    throw new ShapeError(
      `boxCover: the grid has ${cells?.length} cells; for a resolution of ${r} give ${r ** 3}, as voxelGrid`,
    );
  }
  const counted = new Uint8Array(cells.length);
  const convexes: { index: number; planes: Float64Array }[] = [];
  while (convexes.length < boxes) {
    const sums = summedCells(grid, counted);
    const open = [...cells.keys()].filter((cell) => cells[cell] && !counted[cell]);
    if (open.length === 0) break;
    const tried = Math.min(STARTS, open.length);
    const starts = Array.from({ length: tried }, (_, i) => open[Math.floor((i * open.length) / tried)]);
    const found = starts.map((cell) => grown(sums, r, cell)).reduce((a, b) => (b.gain > a.gain ? b : a));
    if (found.gain <= 0) break;
    const [a, b, c, d, e, f] = found.box;
    for (let i = a; i < d; i++) for (let j = b; j < e; j++) counted.fill(1, (i * r + j) * r + c, (i * r + j) * r + f);
    convexes.push({ index: convexes.length, planes: boxPlanes(found.box.map((x) => x / r - 0.5)) });
  }
  return { dim: 3, convexes, unconnected: [] };
}

function boxPlanes([a, b, c, d, e, f]: readonly number[]): Float64Array {
  return Float64Array.from([-1, 0, 0, a, 0, -1, 0, b, 0, 0, -1, c, 1, 0, 0, -d, 0, 1, 0, -e, 0, 0, 1, -f]);
}
