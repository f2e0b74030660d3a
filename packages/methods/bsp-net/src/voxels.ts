import {
  asTensor,
  type Rng,
  requireInteger,
  requireObject,
  ShapeError,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import type { Occupancy } from "./point-pool.js";

/** A cubic grid of cells over [-1/2, 1/2]^3. */
export interface VoxelGrid {
  /** Cells per axis. */
  readonly resolution: number;
  /** `[resolution^3]`: 1 for filled cells; x slowest, z fastest. */
  readonly cells: Uint8Array;
}

/**
 * Checks and packs voxels.
 * @param voxels `[R, R, R]`, or with axes of extent 1 before or after, as in `[1, R, R, R]` and `[R, R, R, 1]`; 0 or 1
 * @throws ShapeError for voxels that are not a cube; ValueError for values other than 0 and 1.
 */
export function voxelGrid(voxels: TensorLike): VoxelGrid {
  const given = asTensor(voxels);
  const shape = given.shape.filter((n) => n !== 1);
  if (shape.length !== 3 || shape[1] !== shape[0] || shape[2] !== shape[0]) {
    throw new ShapeError(`voxelGrid: voxels have shape [${given.shape}]; they must be a cube, [R, R, R]`);
  }
  const data = given.data();
  const bad = data.findIndex((v) => v !== 0 && v !== 1);
  if (bad >= 0) throw new ValueError(`voxelGrid: voxel ${bad} is ${data[bad]}; give 1 for filled and 0 for empty`);
  return { resolution: shape[0], cells: Uint8Array.from(data) };
}

/** Whether points are in filled cells; nothing is filled beyond the grid. */
export function voxelOccupancy(voxelGrid: VoxelGrid): Occupancy {
  requireObject("voxelOccupancy", "voxelGrid", voxelGrid, "a VoxelGrid");
  const { resolution: r, cells } = voxelGrid;
  return (points) => {
    const n = points.length / 3;
    const result = new Uint8Array(n);
    for (let p = 0; p < n; p++) {
      let cell = 0;
      for (let axis = 0; axis < 3; axis++) {
        const i = Math.floor((points[3 * p + axis] + 0.5) * r);
        cell = i < 0 || i >= r ? Number.NaN : cell * r + i;
      }
      result[p] = cells[cell] ?? 0;
    }
    return result;
  };
}

/**
 * A coarser grid: a cell is filled where any of the cells in it is, so that thin parts stay.
 * @param resolution must divide the grid's
 */
export function coarserGrid(grid: VoxelGrid, resolution: number): VoxelGrid {
  requireInteger("coarserGrid", "resolution", resolution, 1);
  const { resolution: r, cells } = grid;
  if (r % resolution !== 0) {
    throw new ValueError(`coarserGrid: resolution is ${resolution}; it must divide the grid's ${r}`);
  }
  const factor = r / resolution;
  const coarse = new Uint8Array(resolution ** 3);
  for (let i = 0; i < r; i++) {
    for (let j = 0; j < r; j++) {
      const row = (Math.floor(i / factor) * resolution + Math.floor(j / factor)) * resolution;
      for (let k = 0; k < r; k++) if (cells[(i * r + j) * r + k]) coarse[row + Math.floor(k / factor)] = 1;
    }
  }
  return { resolution, cells: coarse };
}

/** Points of a shape to train on. */
export interface VoxelSamples {
  /** `[3 n]`: cell centres in [-1/2, 1/2], in random order. */
  readonly points: Float32Array;
  /** `[n]`: 1 for filled cells. */
  readonly values: Float32Array;
}

/** Whether cells next to each other along or across an axis differ. */
function atSurface({ resolution: r, cells }: VoxelGrid): Uint8Array {
  const marked = new Uint8Array(cells.length);
  for (let i = 0; i < r; i++) {
    for (let j = 0; j < r; j++) {
      for (let k = 0; k < r; k++) {
        const cell = (i * r + j) * r + k;
        for (const [di, dj, dk] of neighbourSteps) {
          const [a, b, c] = [i + di, j + dj, k + dk];
          const beyond = a < 0 || b < 0 || c < 0 || a >= r || b >= r || c >= r;
          if ((beyond ? 0 : cells[(a * r + b) * r + c]) !== cells[cell]) {
            marked[cell] = 1;
            break;
          }
        }
      }
    }
  }
  return marked;
}

const neighbourSteps = Array.from({ length: 27 }, (_, i) => [
  (i % 3) - 1,
  (Math.floor(i / 3) % 3) - 1,
  Math.floor(i / 9) - 1,
]);

/**
 * Cells to train on: those near the surface first (one of their 26 neighbours differs), filled up with other cells, all
 * drawn at random; more than there are cells repeat.
 * @param count number of points, >= 1
 */
export function sampleVoxels(grid: VoxelGrid, count: number, rng: Rng): VoxelSamples {
  requireInteger("sampleVoxels", "count", count, 1);
  const { resolution: r, cells } = grid;
  const near = atSurface(grid);
  const order = rng.permutation(cells.length).data();
  const chosen: number[] = [];
  for (const surface of [1, 0]) {
    for (const cell of order) if (near[cell] === surface && chosen.length < count) chosen.push(cell);
  }
  while (chosen.length < count) chosen.push(order[chosen.length % order.length]);
  const shuffled = rng.permutation(count).data();
  const points = new Float32Array(3 * count);
  const values = new Float32Array(count);
  shuffled.forEach((from, i) => {
    const cell = chosen[from];
    const index = [Math.floor(cell / (r * r)), Math.floor(cell / r) % r, cell % r];
    for (let axis = 0; axis < 3; axis++) points[3 * i + axis] = (index[axis] + 0.5) / r - 0.5;
    values[i] = cells[cell];
  });
  return { points, values };
}
