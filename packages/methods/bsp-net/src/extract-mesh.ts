import { requireInteger, ValueError } from "@offprint/tensor-core";
import { type ConvexPolygon, intersectHalfplanes } from "./convex-polygon.js";
import { intersectHalfspaces } from "./convex-polyhedron.js";
import { joinMeshes, type PolyMesh } from "./poly-mesh.js";
import type { BspShape, Convex } from "./shape.js";
import { unionBoundary } from "./union-boundary.js";
import { removeRedundant, usedConvexes } from "./used-convexes.js";
import { weld } from "./weld.js";

/** Options of `keptConvexes`. */
export interface KeepOptions {
  /** Cells per axis of the grid on which convexes must hold a cell. Default 64. */
  resolution?: number;
  /** Whether to drop convexes whose cells others cover. Default true. */
  removeRedundant?: boolean;
}

/** Options of `extractPolygons`. */
export interface PolygonOptions extends KeepOptions {
  /** Convexes are cut to [-bounds, bounds] along each axis. Default 1. */
  bounds?: number;
}

/** Options of `extractMesh`. */
export interface MeshOptions extends PolygonOptions {
  /** L1 distance below which vertices of one convex are joined; the paper's code has 1e-4. Default 0: none. */
  weld?: number;
  /** Whether to cut away the parts of faces inside other convexes. Faces then no longer share vertices. Default false. */
  unionBoundary?: boolean;
}

/** The convexes that hold some cell of a grid, without those that others cover. */
export function keptConvexes(shape: BspShape, options: KeepOptions = {}): Convex[] {
  const { resolution = 64, removeRedundant: remove = true } = options;
  requireInteger("keptConvexes", "resolution", resolution, 1);
  const { places, inside } = usedConvexes(shape, resolution);
  const kept = remove ? removeRedundant(inside).map((i) => places[i]) : places;
  return kept.map((place) => shape.convexes[place]);
}

/**
 * The mesh of a shape, straight from its planes: a closed convex polyhedron for each convex that is used, normals
 * outward. Together they bound the shape; faces inside other convexes stay unless `unionBoundary` is set.
 * @throws ValueError for a shape in 2D (see `extractPolygons`) or an option out of range.
 * @see section 3.3 of the paper
 */
export function extractMesh(shape: BspShape, options: MeshOptions = {}): PolyMesh {
  const { bounds = 1, weld: distance = 0 } = options;
  if (shape.dim !== 3) throw new ValueError("extractMesh: the shape is in 2D; use extractPolygons");
  const kept = keptConvexes(shape, options);
  const parts = kept.flatMap(({ index, planes }) => {
    const mesh = weld(intersectHalfspaces(planes, { bounds }), distance);
    return mesh.faces.length === 0 ? [] : [{ mesh, convex: index }];
  });
  const mesh = joinMeshes(parts);
  return options.unionBoundary === true ? unionBoundary(mesh) : mesh;
}

/**
 * The polygons of a shape in 2D, one for each convex that is used.
 * @throws ValueError for a shape in 3D (see `extractMesh`) or an option out of range.
 */
export function extractPolygons(shape: BspShape, options: PolygonOptions = {}): (ConvexPolygon & { convex: number })[] {
  const { bounds = 1 } = options;
  if (shape.dim !== 2) throw new ValueError("extractPolygons: the shape is in 3D; use extractMesh");
  return keptConvexes(shape, options).flatMap(({ index, planes }) => {
    const polygon = intersectHalfplanes(planes, { bounds });
    return polygon.vertices.length === 0 ? [] : [{ ...polygon, convex: index }];
  });
}
