import { requireFunction, requireInteger, requireObject, ShapeError, sparse, ValueError } from "@offprint/tensor-core";

/** Velocities on the faces of the cells: of every axis an array with one face more along it, row-major. */
export type FaceVelocities = readonly Float64Array[];

/** A box of cells, some of them solid; open at its sides, where the pressure is 0. */
export interface MacGrid {
  /** Cells along every axis, `[ny, nx]` or `[nz, ny, nx]`. */
  readonly extents: readonly number[];
  /** `[cells]` 1 for solid cells. */
  readonly solid: Uint8Array;
}

/**
 * A staggered grid of unit cells.
 * @param solid whether the cell of these coordinates is solid. Default none.
 * @throws ValueError where fluid is enclosed by solid cells on all sides, so that its pressure is not determined.
 */
export function macGrid(
  extents: readonly number[],
  solid: (cell: readonly number[]) => boolean = () => false,
): MacGrid {
  requireExtents("macGrid", extents);
  requireFunction("macGrid", "solid", solid);
  const cells = extents.reduce((product, extent) => product * extent, 1);
  const marks = Uint8Array.from({ length: cells }, (_, i) => (solid(coordinates(extents, i)) ? 1 : 0));
  const grid = { extents: [...extents], solid: marks };
  const enclosed = enclosedCell(grid);
  if (enclosed >= 0) {
    throw new ValueError(
      `macGrid: the fluid around cell [${coordinates(extents, enclosed)}] is enclosed by solid cells; open it, or make it solid`,
    );
  }
  return grid;
}

/** Cells are numbered by 32-bit integers. */
const MOST_CELLS = 2 ** 31 - 1;

function requireExtents(owner: string, extents: readonly number[]): void {
  if (!Array.isArray(extents)) throw new ValueError(`${owner}: extents is ${extents}; give an array of numbers`);
  if (extents.length < 2 || extents.length > 3) {
    throw new ShapeError(`${owner}: extents are [${extents}]; give two or three`);
  }
  for (const extent of extents) requireInteger(owner, "an extent", extent, 1);
  const cells = extents.reduce((product, extent) => product * extent, 1);
  if (cells > MOST_CELLS) throw new ValueError(`${owner}: [${extents}] are ${cells} cells; at most 2^31 - 1 can be`);
}

function requireGrid(owner: string, grid: MacGrid): void {
  requireObject(owner, "grid", grid, "a MacGrid");
  requireExtents(owner, grid.extents);
  requireLength(owner, "grid.solid", grid.solid, cellsOf(grid));
}

/** @internal @throws ShapeError where an array has not as many entries as it must have. */
export function requireLength(owner: string, name: string, values: ArrayLike<number>, length: number): void {
  if (values?.length === length) return;
  throw new ShapeError(`${owner}: ${name} has ${values?.length} entries; this grid needs ${length}`);
}

function requireVelocities(owner: string, grid: MacGrid, velocities: FaceVelocities): void {
  requireObject(owner, "velocities", velocities, "an array");
  grid.extents.forEach((_, axis) => {
    requireLength(owner, `velocities[${axis}]`, velocities[axis], cellsOf(grid, axis));
  });
}

/** Number of cells, or of the faces across an axis. */
function cellsOf(grid: MacGrid, axis?: number): number {
  return extentsOf(grid, axis).reduce((product, extent) => product * extent, 1);
}

/** @internal Coordinates of entry i of a row-major array. */
export function coordinates(extents: readonly number[], i: number): number[] {
  const at: number[] = [];
  for (let k = extents.length - 1, rest = i; k >= 0; k--) {
    at.unshift(rest % extents[k]);
    rest = Math.floor(rest / extents[k]);
  }
  return at;
}

/** Distance in memory between neighbours along an axis. */
function strideOf(extents: readonly number[], axis: number): number {
  return extents.slice(axis + 1).reduce((product, extent) => product * extent, 1);
}

/** Calls back with the neighbours of a cell, -1 for those outside of the box. */
function eachNeighbour({ extents }: MacGrid, cell: number, visit: (other: number) => void): void {
  const at = coordinates(extents, cell);
  extents.forEach((extent, axis) => {
    const stride = strideOf(extents, axis);
    visit(at[axis] > 0 ? cell - stride : -1);
    visit(at[axis] + 1 < extent ? cell + stride : -1);
  });
}

/** A fluid cell from which the outside is not reached, or -1. */
function enclosedCell(grid: MacGrid): number {
  const reached = new Uint8Array(grid.solid);
  const open: number[] = [];
  for (let i = 0; i < reached.length; i++) {
    if (reached[i]) continue;
    eachNeighbour(grid, i, (other) => {
      if (other < 0 && !reached[i]) {
        reached[i] = 1;
        open.push(i);
      }
    });
  }
  for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
    eachNeighbour(grid, cell, (other) => {
      if (other < 0 || reached[other]) return;
      reached[other] = 1;
      open.push(other);
    });
  }
  return reached.indexOf(0);
}

/**
 * The matrix of the pressures: the number of neighbours that are not solid on the diagonal (those outside count), -1 for
 * fluid neighbours; rows of solid cells are zero.
 */
export function poissonMatrix(grid: MacGrid): sparse.CsrMatrix {
  requireGrid("poissonMatrix", grid);
  const cells = grid.solid.length;
  const [rows, columns, values]: number[][] = [[], [], []];
  for (let i = 0; i < cells; i++) {
    if (grid.solid[i]) continue;
    let diagonal = 0;
    eachNeighbour(grid, i, (other) => {
      if (other >= 0 && grid.solid[other]) return;
      diagonal++;
      if (other < 0) return;
      rows.push(i);
      columns.push(other);
      values.push(-1);
    });
    rows.push(i);
    columns.push(i);
    values.push(diagonal);
  }
  return sparse.fromTriplets(cells, cells, rows, columns, values);
}

/** @internal Extents of the faces across an axis; without one, of the cells. */
export function extentsOf({ extents }: MacGrid, axis: number | undefined): number[] {
  return extents.map((extent, k) => (k === axis ? extent + 1 : extent));
}

/** Velocities of zero. */
export function stillVelocities(macGrid: MacGrid): Float64Array[] {
  requireGrid("stillVelocities", macGrid);
  return macGrid.extents.map((_, axis) => new Float64Array(cellsOf(macGrid, axis)));
}

/** Calls back with every face: its axis and number, and the cells before and behind it, -1 outside. */
function eachFace(grid: MacGrid, visit: (axis: number, face: number, before: number, behind: number) => void): void {
  const { extents } = grid;
  extents.forEach((extent, axis) => {
    const faces = extentsOf(grid, axis);
    const stride = strideOf(extents, axis);
    for (let face = 0; face < cellsOf(grid, axis); face++) {
      const at = coordinates(faces, face);
      const behind = at.reduce((index, c, k) => index + c * strideOf(extents, k), 0);
      visit(axis, face, at[axis] > 0 ? behind - stride : -1, at[axis] < extent ? behind : -1);
    }
  });
}

/** Faces of solid cells do not move. */
export function stoppedAtSolids(grid: MacGrid, velocities: FaceVelocities): Float64Array[] {
  requireGrid("stoppedAtSolids", grid);
  requireVelocities("stoppedAtSolids", grid, velocities);
  const out = velocities.map((v) => v.slice());
  eachFace(grid, (axis, face, before, behind) => {
    if ((before >= 0 && grid.solid[before]) || (behind >= 0 && grid.solid[behind])) out[axis][face] = 0;
  });
  return out;
}

/** `[cells]` what flows out of every fluid cell, less what flows in. */
export function divergence(grid: MacGrid, velocities: FaceVelocities): Float64Array {
  requireGrid("divergence", grid);
  requireVelocities("divergence", grid, velocities);
  const out = new Float64Array(grid.solid.length);
  eachFace(grid, (axis, face, before, behind) => {
    if (before >= 0) out[before] += velocities[axis][face];
    if (behind >= 0) out[behind] -= velocities[axis][face];
  });
  return out.map((v, i) => (grid.solid[i] ? 0 : v));
}

/** Velocities less the gradient of the pressures, 0 outside; faces of solid cells stay 0. */
export function withoutGradient(grid: MacGrid, velocities: FaceVelocities, pressures: Float64Array): Float64Array[] {
  requireGrid("withoutGradient", grid);
  requireVelocities("withoutGradient", grid, velocities);
  requireLength("withoutGradient", "pressures", pressures, grid.solid.length);
  const out = velocities.map((v) => v.slice());
  eachFace(grid, (axis, face, before, behind) => {
    out[axis][face] -= (behind >= 0 ? pressures[behind] : 0) - (before >= 0 ? pressures[before] : 0);
  });
  return stoppedAtSolids(grid, out);
}
