import { checkOptions, requireChoice, requireNonNegative, ValueError } from "@offprint/tensor-core";
import { type ConvexPolygon, intersectHalfplanes } from "./convex-polygon.js";
import { intersectHalfspaces, requireBounds } from "./convex-polyhedron.js";
import { outOfFrame } from "./frame.js";
import { joinMeshes, type PolyMesh } from "./poly-mesh.js";
import { type BspShape, type Convex, requireShape } from "./shape.js";
import { unionMesh } from "./union/union-mesh.js";
import { removeRedundant, usedConvexes } from "./used-convexes.js";
import { weld } from "./weld.js";

/** Which convexes are in a mesh. */
export interface KeepOptions {
  /** Cells per axis of the grid on which convexes must hold a cell, up to 8192 in 2D, 512 in 3D. Default 64. */
  resolution?: number;
  /** Whether to drop convexes whose cells others cover. Default true. */
  removeRedundant?: boolean;
}

/** Options of `extractPolygons`. */
export interface PolygonOptions extends KeepOptions {
  /** Convexes are cut to [-bounds, bounds] along each axis, in the shape's cube. Default 1. */
  bounds?: number;
}

/** Options of `extractMesh`. */
export interface MeshOptions extends PolygonOptions {
  /** L1 distance, in the shape's cube, below which vertices of one convex are joined; the paper's code has 1e-4. Default 0. */
  weld?: number;
  /**
   * Whether to give one watertight mesh of the union in place of one for each convex: nothing inside, every edge with
   * exactly two faces. Default false.
   */
  union?: boolean;
}

/** The convexes that hold some cell of a grid, without those that others cover. */
function keptConvexes(owner: string, shape: BspShape, options: KeepOptions): Convex[] {
  const { resolution = 64, removeRedundant: remove = true } = options;
  requireChoice(owner, "removeRedundant", remove, [true, false]);
  const { places, inside } = usedConvexes(shape, resolution, owner);
  const kept = remove ? removeRedundant(inside).map((i) => places[i]) : places;
  return kept.map((place) => shape.convexes[place]);
}

/**
 * The mesh of a shape, straight from its planes: a closed convex polyhedron for each convex that is used, normals
 * outward, which together bound the shape; or, with `union`, one watertight mesh. In the space of the shape's `frame`.
 * @throws ValueError for a shape in 2D (see `extractPolygons`) or an option unknown or out of range.
 * @see section 3.3 of the paper
 */
export function extractMesh(shape: BspShape, options: MeshOptions = {}): PolyMesh {
  requireShape("extractMesh", shape);
  checkOptions("extractMesh", options, ["resolution", "removeRedundant", "bounds", "weld", "union"]);
  const { bounds = 1, weld: distance = 0, union = false } = options;
  if (shape.dim !== 3) throw new ValueError("extractMesh: the shape is in 2D; use extractPolygons");
  requireBounds("extractMesh", bounds);
  requireNonNegative("extractMesh", "weld", distance);
  requireChoice("extractMesh", "union", union, [true, false]);
  if (union && distance > 0) {
    throw new ValueError(
      "extractMesh: weld is for the pieces, and union joins its vertices itself; leave one of them out",
    );
  }
  const kept = keptConvexes("extractMesh", shape, options);
  const mesh = union ? unionMesh(kept, bounds) : joinMeshes(pieces(kept, bounds, distance));
  return { ...mesh, vertices: outOfFrame(mesh.vertices, shape.frame) };
}

/** The mesh of each convex that has one. */
function pieces(convexes: readonly Convex[], bounds: number, distance: number) {
  return convexes.flatMap(({ index, planes }) => {
    const mesh = weld(intersectHalfspaces(planes, { bounds }), distance);
    return mesh.faces.length === 0 ? [] : [{ mesh, convex: index }];
  });
}

/**
 * The polygons of a shape in 2D, one for each convex that is used.
 * @throws ValueError for a shape in 3D (see `extractMesh`) or an option out of range.
 */
export function extractPolygons(shape: BspShape, options: PolygonOptions = {}): (ConvexPolygon & { convex: number })[] {
  requireShape("extractPolygons", shape);
  checkOptions("extractPolygons", options, ["resolution", "removeRedundant", "bounds"]);
  const { bounds = 1 } = options;
  if (shape.dim !== 2) throw new ValueError("extractPolygons: the shape is in 3D; use extractMesh");
  return keptConvexes("extractPolygons", shape, options).flatMap(({ index, planes }) => {
    const { vertices, lineOfEdge } = intersectHalfplanes(planes, { bounds });
    if (vertices.length === 0) return [];
    return [{ vertices: outOfFrame(vertices, shape.frame), lineOfEdge, convex: index }];
  });
}
