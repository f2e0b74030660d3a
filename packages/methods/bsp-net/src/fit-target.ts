import { checkOptions, type Rng, ShapeError, ValueError } from "@offprint/tensor-core";
import type { Dim } from "./features.js";
import { type Frame, frameAround, inOwnUnits, intoFrame, outOfFrame } from "./frame.js";
import { meshOccupancy, type Surface } from "./mesh-occupancy.js";
import {
  drawPool,
  type Occupancy,
  type PointPool,
  type PointSamples,
  type PoolOptions,
  poolOfSamples,
} from "./point-pool.js";
import { requirePoints } from "./shape.js";

/** A closed surface of polygons, as readers give it, or with plain arrays. */
export interface SurfaceMesh {
  /** `[3 vertices]` coordinates, in any units. */
  readonly vertices: ArrayLike<number>;
  /** Vertices of each face, counter-clockwise as seen from outside. */
  readonly faces: readonly (readonly number[])[];
}

/** What `fitShape` takes: an inside test, samples of points, or a closed mesh. */
export type FitTarget = Occupancy | PointSamples | SurfaceMesh;

/** A shape to fit: the cube that it lies in, and points of that cube. */
export interface Prepared {
  /** Undefined where the shape is in [-1/2, 1/2]^d as given. */
  readonly frame: Frame | undefined;
  /** Points and which are inside; null where the signal fired meanwhile. */
  pool(rng: Rng, signal: AbortSignal | undefined): Promise<PointPool | null>;
}

/** Share of its cube's side that a mesh takes. */
const MESH_SHARE = 0.9;

/**
 * Makes a shape ready to be fitted.
 * @throws ValueError or ShapeError for what is no shape.
 */
export function prepared(target: FitTarget, dim: Dim, options: PoolOptions): Prepared {
  if (typeof target === "function") {
    return { frame: undefined, pool: (rng, signal) => drawPool(target, dim, options, rng, signal) };
  }
  if (typeof target !== "object" || target === null) {
    throw new ValueError(
      "fitShape: give an inside test, samples { points, values } or a closed mesh { vertices, faces }",
    );
  }
  if ("faces" in target)
    checkOptions("fitShape: the mesh", target, ["vertices", "faces", "convexOfFace", "planeOfFace"]);
  else checkOptions("fitShape: the samples", target, ["points", "values"]);
  if ("faces" in target) return preparedMesh(checkedMesh(target), dim, options);
  const { points, values } = target;
  if (points === undefined || values === undefined) {
    throw new ValueError("fitShape: the samples have no points or no values; give { points, values }");
  }
  const given = Float64Array.from(points);
  requirePoints("fitShape", given, dim);
  const frame = given.length > 0 && inOwnUnits(given, dim) ? frameAround("fitShape", given, dim, 1) : undefined;
  const pool = poolOfSamples(intoFrame(given, frame), values, dim);
  return { frame, pool: async () => pool };
}

function checkedMesh({ vertices, faces }: SurfaceMesh): Surface {
  if (vertices === undefined || !Array.isArray(faces)) {
    throw new ValueError("fitShape: a mesh must be { vertices, faces }, with faces as arrays of vertices");
  }
  const places = Float64Array.from(vertices);
  const n = requirePoints("fitShape", places, 3);
  faces.forEach((loop, f) => {
    const bad = loop.find((v: number) => !Number.isInteger(v) || v < 0 || v >= n);
    if (bad !== undefined) throw new ShapeError(`fitShape: face ${f} names vertex ${bad} of ${n}`);
  });
  return { vertices: places, faces };
}

function preparedMesh(mesh: Surface, dim: Dim, options: PoolOptions): Prepared {
  if (dim !== 3) throw new ValueError(`fitShape: dim is ${dim}; a mesh is in 3 dimensions`);
  const frame = frameAround("fitShape", mesh.vertices, 3, MESH_SHARE);
  const inside = meshOccupancy(mesh, "fitShape");
  const occupied: Occupancy = (points) => inside(outOfFrame(points, frame));
  return { frame, pool: (rng, signal) => drawPool(occupied, dim, options, rng, signal) };
}
