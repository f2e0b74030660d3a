import { basename } from "node:path";
import { readNpz } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { FormatError, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { type Frame, frameAround, intoFrame } from "../src/frame.js";
import {
  type Dim,
  type FitTarget,
  type PolyMesh,
  readMesh,
  type VoxelGrid,
  voxelGrid,
  voxelize,
  voxelOccupancy,
} from "../src/index.js";

/** A shape that a file holds: something to fit, and something for an encoder to see. */
export interface ShapeInput {
  /** One line that says what was read. */
  readonly description: string;
  /** Dimensions of space. */
  readonly dim: Dim;
  /** What `fitShape` takes; undefined where the file has an encoder's input only. */
  readonly target: FitTarget | undefined;
  /** `[1, channels, ...cells]` for an encoder with so many cells per axis, where the file has it. */
  readonly encoded: (resolution: number) => Tensor | undefined;
  /** Where the cube of what is encoded lies in the units of the file; undefined where it is that cube. */
  readonly frame?: Frame;
}

function encoderInput({ resolution: r, cells }: VoxelGrid): Tensor {
  return tensor(Float32Array.from(cells), { shape: [1, 1, r, r, r] });
}

/** Points of a file: as they are, or bytes as in the paper's files, which count 256 cells along each axis. */
function coordinatesOf(points: Tensor): Float64Array {
  const data = points.data();
  if (points.dtype === "float32" || points.dtype === "float64") return Float64Array.from(data);
  return Float64Array.from(data, (x) => (x + 0.5) / 256 - 0.5);
}

/** @throws ValueError for another shape than the first of a file that holds one. */
function requireOnly(index: number): void {
  if (index > 0) throw new ValueError(`--index ${index}: the file holds one shape; leave it out`);
}

function fromArrays(arrays: Readonly<Record<string, Tensor>>, index: number): ShapeInput {
  const pick = (x: Tensor, rank: number) => {
    if (x.rank > rank) return x.slice([index]);
    requireOnly(index);
    return x;
  };
  const { points, values, voxels, inputs } = arrays;
  if (inputs !== undefined) {
    const own = pick(inputs, inputs.rank > 3 ? inputs.rank - 1 : inputs.rank);
    const cells = own.rank === 2 ? [1, ...own.shape] : own.shape;
    const encoded = own.reshape([1, ...cells]);
    return {
      description: `inputs [${own.shape}]`,
      dim: cells.length === 4 ? 3 : 2,
      target: undefined,
      encoded: () => encoded,
    };
  }
  if (voxels !== undefined) {
    const trailing = voxels.shape[voxels.rank - 1] === 1 ? voxels.reshape(voxels.shape.slice(0, -1)) : voxels;
    const grid = voxelGrid(pick(trailing, 3));
    const filled = grid.cells.reduce((a, b) => a + b, 0);
    return {
      description: `${grid.resolution}^3 voxels, ${filled} filled`,
      dim: 3,
      target: voxelOccupancy(grid),
      encoded: () => encoderInput(grid),
    };
  }
  if (points === undefined || values === undefined) {
    throw new FormatError(
      `the file holds ${Object.keys(arrays).join(", ") || "nothing"}; it must hold voxels [R, R, R], points [n, d] and values [n], or inputs`,
    );
  }
  const own = pick(points, 2);
  const dim = own.shape[1];
  if (own.rank !== 2 || (dim !== 2 && dim !== 3)) {
    throw new FormatError(`points have shape [${points.shape}]; give [n, 2] or [n, 3]`);
  }
  const shared = points.rank > 2 ? values.slice([index]) : values;
  const samples = { points: coordinatesOf(own), values: shared.data() };
  return { description: `${own.shape[0]} points in ${dim}D`, dim, target: samples, encoded: () => undefined };
}

/** Share of its cube that a mesh takes where an encoder sees it. */
const SHARE = 0.9;

function fromMesh(mesh: PolyMesh): ShapeInput {
  const frame = frameAround("the mesh", mesh.vertices, 3, SHARE);
  const sides = [0, 1, 2].map((axis) => {
    const along = mesh.vertices.filter((_, i) => i % 3 === axis);
    const extent = along.reduce((m, x) => Math.max(m, x), -Infinity) - along.reduce((m, x) => Math.min(m, x), Infinity);
    return Number(extent.toPrecision(4));
  });
  return {
    description: `mesh of ${mesh.faces.length} faces, ${sides.join(" x ")}`,
    dim: 3,
    target: mesh,
    encoded: (resolution) =>
      encoderInput(voxelize({ vertices: intoFrame(mesh.vertices, frame), faces: mesh.faces }, resolution)),
    frame,
  };
}

/** Reads a shape: points or voxels of an .npz file, or a closed mesh. */
export async function readShape(path: string, index: number): Promise<ShapeInput> {
  const name = basename(path);
  if (/\.npz$/i.test(name)) return loadFile(path, (bytes) => fromArrays(readNpz(bytes), index));
  requireOnly(index);
  return loadFile(path, (bytes) => fromMesh(readMesh(name, bytes)));
}
