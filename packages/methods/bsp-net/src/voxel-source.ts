import {
  asTensor,
  checkOptions,
  random,
  requireInteger,
  ShapeError,
  slice,
  stack,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type ShapeSource, shapeSamples } from "./shape-source.js";
import { coarserGrid, sampleVoxels, voxelGrid } from "./voxels.js";

/** Options of `voxelShapes`. */
export interface VoxelShapesOptions {
  /**
   * Points kept per shape, by resolution. Default those of the paper: 4096 at 16 and 32, 16384 at 64, as far as
   * resolutions divide that of the voxels.
   */
  points?: Readonly<Record<number, number>>;
  /** Most points of a step: a random block of those kept. Default 4096. */
  pointsPerStep?: number;
  /** Source of the points. Default 0. */
  seed?: number | string;
}

const paperPoints: Readonly<Record<number, number>> = { 16: 4096, 32: 4096, 64: 16384 };

/**
 * Voxel models as shapes to train on: the encoder sees the voxels, points are cells near the surface and others, on the
 * grid of the stage's resolution (the finest unless the stage says one). Points are drawn when a resolution is first used.
 * @param voxels `[shapes, R, R, R]` or `[shapes, R, R, R, 1]`: 1 for filled cells
 * @throws ShapeError for voxels that are not cubic; ValueError for values other than 0 and 1, or a resolution that
 * `points` does not name.
 */
export function voxelShapes(voxels: TensorLike, options: VoxelShapesOptions = {}): ShapeSource {
  checkOptions("voxelShapes", options, ["points", "pointsPerStep", "seed"]);
  const given = asTensor(voxels);
  const count = given.shape[0] ?? 0;
  if (given.rank < 4 || count === 0) {
    throw new ShapeError(`voxelShapes: voxels have shape [${given.shape}]; give [shapes, R, R, R]`);
  }
  const grids = Array.from({ length: count }, (_, i) => voxelGrid(slice(given, [i])));
  const r = grids[0].resolution;
  const fitting = Object.entries(paperPoints).filter(([resolution]) => r % Number(resolution) === 0);
  const { points = { [r]: 4096, ...Object.fromEntries(fitting) }, pointsPerStep = 4096, seed = 0 } = options;
  for (const [resolution, n] of Object.entries(points)) requireInteger("voxelShapes", `points[${resolution}]`, n, 1);
  const inputs = stack(grids.map(({ cells }) => tensor(Float32Array.from(cells), { shape: [1, r, r, r] })));
  const finest = Math.max(...Object.keys(points).map(Number));
  const sources = new Map<number, ShapeSource>();
  const sourceOf = (resolution: number): ShapeSource => {
    const n = points[resolution];
    if (n === undefined) {
      throw new ValueError(
        `voxelShapes: no points at resolution ${resolution}; points names ${Object.keys(points).join(", ")}`,
      );
    }
    const known = sources.get(resolution);
    if (known !== undefined) return known;
    const samples = grids.map((grid, i) => {
      return sampleVoxels(coarserGrid(grid, resolution), n, random.rng(`${seed}/${resolution}/${i}`));
    });
    const source = shapeSamples(
      {
        inputs,
        points: stack(samples.map((s) => tensor(s.points, { shape: [n, 3] }))),
        values: stack(samples.map((s) => tensor(s.values))),
      },
      { pointsPerStep: Math.min(n, pointsPerStep) },
    );
    sources.set(resolution, source);
    return source;
  };
  return { count, batch: (indices, resolution, rng) => sourceOf(resolution ?? finest).batch(indices, resolution, rng) };
}
