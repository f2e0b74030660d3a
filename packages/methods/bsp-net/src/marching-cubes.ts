import {
  asTensor,
  checkOptions,
  requirePositive,
  ShapeError,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import type { PolyMesh } from "./poly-mesh.js";

/** A mesh of triangles. */
export type TriMesh = PolyMesh;

/** Options of `marchingCubes`. */
export interface MarchingCubesOptions {
  /** Coordinate of the first sample along each axis. Default that of the centre of the first cell of [-1/2, 1/2]^3. */
  origin?: number;
  /** Distance between samples. Default one over the extent of the first axis. */
  spacing?: number;
}

/** Corners of a cell: bit 0 is one step along x, bit 1 along y, bit 2 along z. */
const CORNERS = 8;

/** Faces of a cell as corners, counter-clockwise as seen from outside. */
const FACES = [
  [0, 4, 6, 2],
  [1, 3, 7, 5],
  [0, 1, 5, 4],
  [2, 6, 7, 3],
  [0, 2, 3, 1],
  [4, 5, 7, 6],
];

const edgeKey = (a: number, b: number) => Math.min(a, b) * CORNERS + Math.max(a, b);

/**
 * Polygons of a cell, as loops of edges, for the corners that are inside. On every face, lines go from the edge where one
 * walks into the inside to the one where one leaves it, so that inside corners of one face are never joined across it:
 * a rule about the face alone, on which both of its cells agree, which makes surfaces closed.
 */
function cellLoops(inside: number): number[][] {
  const next = new Map<number, number>();
  for (const face of FACES) {
    for (let i = 0; i < 4; i++) {
      if (!(inside & (1 << face[i])) || inside & (1 << face[(i + 1) % 4])) continue;
      let j = i;
      while (inside & (1 << face[(j + 3) % 4])) j = (j + 3) % 4;
      next.set(edgeKey(face[(j + 3) % 4], face[j]), edgeKey(face[i], face[(i + 1) % 4]));
    }
  }
  const loops: number[][] = [];
  while (next.size > 0) {
    const [start] = next.keys();
    const loop: number[] = [];
    for (let at: number | undefined = start; at !== undefined; ) {
      const to: number | undefined = next.get(at);
      if (to === undefined) break;
      loop.push(at);
      next.delete(at);
      at = to;
    }
    loops.push(loop);
  }
  return loops;
}

const table: (readonly number[][])[] = [];

/** Loops of a cell, made when first needed. */
function loopsOf(inside: number): readonly number[][] {
  table[inside] ??= cellLoops(inside);
  return table[inside];
}

/**
 * The surface where a grid of samples crosses a value, normals towards smaller values. Samples beyond the grid count as
 * outside, so that the surface is closed.
 * @param grid `[nx, ny, nz]`, larger inside
 * @param iso the value on the surface
 * @throws ShapeError unless the grid has three axes; ValueError for samples that are not finite.
 */
export function marchingCubes(grid: TensorLike, iso: number, options: MarchingCubesOptions = {}): TriMesh {
  checkOptions("marchingCubes", options, ["origin", "spacing"]);
  const samples = asTensor(grid);
  if (samples.rank !== 3)
    throw new ShapeError(`marchingCubes: the grid has shape [${samples.shape}]; give [nx, ny, nz]`);
  const [nx, ny, nz] = samples.shape;
  const { spacing = 1 / nx, origin = spacing / 2 - 0.5 } = options;
  requirePositive("marchingCubes", "spacing", spacing);
  for (const [name, value] of [
    ["iso", iso],
    ["origin", origin],
  ] as const) {
    if (!Number.isFinite(value)) throw new ValueError(`marchingCubes: ${name} is ${value}; it must be a finite number`);
  }
  const data = samples.data();
  let lowest = Infinity;
  for (const x of data) {
    if (!Number.isFinite(x)) throw new ValueError(`marchingCubes: the grid holds ${x}; its samples must be finite`);
    lowest = Math.min(lowest, x);
  }
  // One layer of outside samples around the grid, as far below the value as samples go.
  const beyond = Math.min(lowest, 2 * iso - Math.max(iso, maximum(data)));
  const [mx, my, mz] = [nx + 2, ny + 2, nz + 2];
  const padded = new Float64Array(mx * my * mz).fill(beyond);
  for (let i = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++) {
      for (let k = 0; k < nz; k++) padded[((i + 1) * my + j + 1) * mz + k + 1] = data[(i * ny + j) * nz + k];
    }
  }
  const steps = Array.from({ length: CORNERS }, (_, b) => (b & 1) * my * mz + ((b >> 1) & 1) * mz + (b >> 2));
  const vertices: number[] = [];
  const vertexOf = new Map<number, number>();
  const faces: number[][] = [];
  const at = (sample: number) => {
    const k = sample % mz;
    const j = Math.floor(sample / mz) % my;
    return [Math.floor(sample / (my * mz)), j, k].map((s) => origin + (s - 1) * spacing);
  };
  const vertex = (cell: number, key: number): number => {
    const [a, b] = [cell + steps[key >> 3], cell + steps[key & 7]];
    const axis = (key >> 3) ^ (key & 7);
    const id = a * CORNERS + axis;
    let v = vertexOf.get(id);
    if (v === undefined) {
      v = vertices.length / 3;
      const t = (iso - padded[a]) / (padded[b] - padded[a]);
      const [from, to] = [at(a), at(b)];
      for (let i = 0; i < 3; i++) vertices.push(from[i] + t * (to[i] - from[i]));
      vertexOf.set(id, v);
    }
    return v;
  };
  for (let i = 0; i + 1 < mx; i++) {
    for (let j = 0; j + 1 < my; j++) {
      for (let k = 0; k + 1 < mz; k++) {
        const cell = (i * my + j) * mz + k;
        let inside = 0;
        for (let b = 0; b < CORNERS; b++) if (padded[cell + steps[b]] > iso) inside |= 1 << b;
        if (inside === 0 || inside === 255) continue;
        for (const loop of loopsOf(inside)) {
          const corners = loop.map((key) => vertex(cell, key));
          for (let c = 1; c + 1 < corners.length; c++) faces.push([corners[0], corners[c], corners[c + 1]]);
        }
      }
    }
  }
  return { vertices: Float64Array.from(vertices), faces, convexOfFace: new Int32Array(faces.length) };
}

function maximum(data: ArrayLike<number>): number {
  let most = -Infinity;
  for (let i = 0; i < data.length; i++) most = Math.max(most, data[i]);
  return most;
}
