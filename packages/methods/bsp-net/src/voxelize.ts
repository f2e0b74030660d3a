import { requireObject, ValueError } from "@offprint/tensor-core";
import { frameAround, intoFrame } from "./frame.js";
import { meshOccupancy, type Surface } from "./mesh-occupancy.js";
import type { PolyMesh } from "./poly-mesh.js";
import { cellCentres } from "./used-convexes.js";
import type { VoxelGrid } from "./voxels.js";

/**
 * Moves and scales a mesh so that its box is centred in [-1/2, 1/2]^3.
 * @param size longest side of the box afterwards, in (0, 1]. Default 0.9.
 */
export function fitIntoUnitCube(mesh: PolyMesh, size = 0.9): PolyMesh {
  requireObject("fitIntoUnitCube", "mesh", mesh, "a PolyMesh");
  if (!(size > 0 && size <= 1)) throw new ValueError(`fitIntoUnitCube: size is ${size}; it must be in (0, 1]`);
  return { ...mesh, vertices: intoFrame(mesh.vertices, frameAround("fitIntoUnitCube", mesh.vertices, 3, size)) };
}

/**
 * Cells whose centres are inside a closed mesh; closed parts that overlap count as a union.
 * @param mesh in [-1/2, 1/2]^3 (see `fitIntoUnitCube`)
 * @param resolution cells per axis, up to 512. Default 64.
 * @throws ValueError for a mesh that is not closed.
 */
export function voxelize(mesh: Surface, resolution = 64): VoxelGrid {
  requireObject("voxelize", "mesh", mesh, "a Surface");
  return { resolution, cells: meshOccupancy(mesh, "voxelize")(cellCentres(3, resolution, "voxelize")) };
}
