import { ConvergenceError, checkOptions, requireObject, ShapeError, ValueError } from "@offprint/tensor-core";

/** A convex polyhedron: a closed surface with shared vertices, normals outward. */
export interface ConvexMesh {
  /** `[3 vertices]` coordinates. */
  readonly vertices: Float64Array;
  /** Vertices of each face, counter-clockwise as seen from outside. */
  readonly faces: readonly (readonly number[])[];
  /** Per face, the plane it lies on, an index into the half-spaces; -1 to -6 for the sides of the bounding cube. */
  readonly planeOfFace: Int32Array;
}

/** Options of `intersectHalfspaces` and `intersectHalfplanes`. */
export interface IntersectionOptions {
  /** The result is cut to [-bounds, bounds] along each axis. Default 1. */
  bounds?: number;
}

/** Distance beyond every cube that shapes are cut to. */
const FARTHEST = Number.MAX_VALUE;

/** A vertex this near to a plane is on it. */
export const ON_PLANE = 1e-9;

/** Planes are moved outward by so much where rounding does not give a single loop. */
const NUDGE = 4e-9;

interface Face {
  readonly loop: number[];
  readonly plane: number;
}

interface Solid {
  /** Coordinates, three per vertex; vertices that no face uses are left behind. */
  points: number[];
  faces: Face[];
}

/**
 * Half-spaces with unit normals: `[a, b, c, d, index, ...]`. One without a normal holds all points, and is left out, or
 * none: then its offset is infinite.
 */
export function normalizedHalfspaces(owner: string, planes: Float64Array, width: number): Float64Array[] {
  if (planes.length % width !== 0) {
    throw new ShapeError(`${owner}: ${planes.length} numbers are no half-spaces; give ${width} per half-space`);
  }
  const result: Float64Array[] = [];
  for (let j = 0; j < planes.length; j += width) {
    const plane = planes.slice(j, j + width);
    if (!plane.every(Number.isFinite)) {
      throw new ValueError(
        `${owner}: half-space ${j / width} is [${[...plane].join(", ")}]; its numbers must be finite`,
      );
    }
    const offset = plane[width - 1];
    const normal = plane.subarray(0, width - 1);
    const largest = normal.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const unit = new Float64Array(width + 1);
    unit[width] = j / width;
    if (largest > 0) {
      // a power of two, which rounds nothing: lengths neither overflow nor vanish
      const scale = 2 ** Math.floor(Math.log2(largest));
      const length = Math.hypot(...normal.map((x) => x / scale));
      for (let i = 0; i < width; i++) unit[i] = plane[i] / scale / length;
      // what is farther away than any cube is nowhere in particular, and has no need of digits
      unit[width - 1] = Math.min(Math.max(unit[width - 1], -FARTHEST), FARTHEST);
    } else if (offset > 0) unit[width - 1] = FARTHEST;
    else continue;
    result.push(unit);
  }
  return result;
}

/** What distances of about 1e-9 are measured in: small cubes have smaller ones. */
export function smallUnit(bounds: number): number {
  return Math.min(1, bounds);
}

/** Throws unless the bounds are a positive number. */
export function requireBounds(owner: string, bounds: number): void {
  if (!(bounds > 0 && bounds < Infinity)) throw new ValueError(`${owner}: bounds is ${bounds}; it must be > 0`);
}

function cube(b: number): Solid {
  const points: number[] = [];
  for (let i = 0; i < 8; i++) points.push(i & 1 ? b : -b, i & 2 ? b : -b, i & 4 ? b : -b);
  const loops = [
    [0, 4, 6, 2],
    [1, 3, 7, 5],
    [0, 1, 5, 4],
    [2, 6, 7, 3],
    [0, 2, 3, 1],
    [4, 5, 7, 6],
  ];
  return { points, faces: loops.map((loop, i) => ({ loop, plane: -1 - i })) };
}

/** What is left of each face on the inner side, with the vertices where edges cross the plane made once. */
function clippedFaces(solid: Solid, distance: Float64Array, side: Int8Array): Solid {
  const points = solid.points.slice();
  const cuts = new Map<number, number>();
  const vertices = distance.length;
  const cut = (a: number, b: number): number => {
    const [inner, outer] = side[a] < 0 ? [a, b] : [b, a];
    const key = inner * vertices + outer;
    let v = cuts.get(key);
    if (v === undefined) {
      v = points.length / 3;
      const t = distance[inner] / (distance[inner] - distance[outer]);
      for (let i = 0; i < 3; i++) {
        points.push(points[3 * inner + i] + t * (points[3 * outer + i] - points[3 * inner + i]));
      }
      cuts.set(key, v);
    }
    return v;
  };
  const faces: Face[] = [];
  for (const { loop, plane } of solid.faces) {
    if (!loop.some((v) => side[v] < 0)) continue;
    const kept: number[] = [];
    for (let i = 0; i < loop.length; i++) {
      const a = loop[i];
      const b = loop[(i + 1) % loop.length];
      if (side[a] <= 0) kept.push(a);
      if (side[a] * side[b] < 0) kept.push(cut(a, b));
    }
    faces.push({ loop: kept, plane });
  }
  return { points, faces };
}

/** The edges without a partner, reversed and joined to a loop; undefined unless they are one simple loop. */
function capLoop(faces: readonly Face[], vertices: number): number[] | undefined {
  const edges = new Set<number>();
  for (const { loop } of faces) {
    loop.forEach((a, i) => edges.add(a * vertices + loop[(i + 1) % loop.length]));
  }
  const next = new Map<number, number>();
  let open = 0;
  for (const edge of edges) {
    const [a, b] = [Math.floor(edge / vertices), edge % vertices];
    if (edges.has(b * vertices + a)) continue;
    next.set(b, a);
    open++;
  }
  if (open < 3 || next.size !== open) return undefined;
  const [start] = next.keys();
  const loop: number[] = [];
  let at = start;
  do {
    loop.push(at);
    const to = next.get(at);
    if (to === undefined) return undefined;
    at = to;
  } while (at !== start && loop.length <= open);
  return loop.length === open ? loop : undefined;
}

/** The solid inside one more half-space, near to which is what is within 1e-9 units; null where nothing is left. */
function clip(solid: Solid, plane: Float64Array, unit: number): Solid | null {
  const { points } = solid;
  const vertices = points.length / 3;
  const used = new Uint8Array(vertices);
  for (const { loop } of solid.faces) for (const v of loop) used[v] = 1;
  const [a, b, c, , index] = plane;
  const onPlane = unit * ON_PLANE;
  const distance = new Float64Array(vertices);
  const side = new Int8Array(vertices);
  for (let attempt = 0; attempt < 8; attempt++) {
    const d = plane[3] - (attempt === 0 ? 0 : unit * NUDGE * 3 ** (attempt - 1));
    let [anyOut, anyIn] = [false, false];
    for (let v = 0; v < vertices; v++) {
      if (!used[v]) continue;
      distance[v] = a * points[3 * v] + b * points[3 * v + 1] + c * points[3 * v + 2] + d;
      side[v] = distance[v] > onPlane ? 1 : distance[v] < -onPlane ? -1 : 0;
      anyOut ||= side[v] > 0;
      anyIn ||= side[v] < 0;
    }
    if (!anyOut) return solid;
    if (!anyIn) return null;
    const rest = clippedFaces(solid, distance, side);
    const cap = capLoop(rest.faces, rest.points.length / 3);
    if (cap !== undefined) return { points: rest.points, faces: [...rest.faces, { loop: cap, plane: index }] };
  }
  throw new ConvergenceError(
    `intersectHalfspaces: half-space ${index} cuts the polyhedron in a line that rounding breaks up; move it a little`,
  );
}

/** Drops vertices that no face uses. */
function compact({ points, faces }: Solid): ConvexMesh {
  const number = new Map<number, number>();
  const renumbered = faces.map(({ loop }) =>
    loop.map((v) => {
      if (!number.has(v)) number.set(v, number.size);
      return number.get(v) as number;
    }),
  );
  const vertices = new Float64Array(3 * number.size);
  for (const [v, i] of number) for (let k = 0; k < 3; k++) vertices[3 * i + k] = points[3 * v + k];
  return { vertices, faces: renumbered, planeOfFace: Int32Array.from(faces, ({ plane }) => plane) };
}

/**
 * The polyhedron of the points x with `a x + b y + c z + d <= 0` for every half-space, cut to a cube. A cube with shared
 * vertices is clipped plane after plane, so that the result is closed and has V - E + F = 2. Half-spaces need no unit
 * normals, and may be of any scale; repeated and redundant ones are allowed. One without a normal (a = b = c = 0) holds all
 * points where d <= 0, and else none.
 * @param planes `[4 m]`: a, b, c, d of each half-space
 * @returns no vertices and no faces where the intersection is empty (or thinner than 1e-9, or that part of bounds below 1)
 * @throws ShapeError unless there are four numbers per half-space; ValueError for numbers that are not finite.
 */
export function intersectHalfspaces(planes: Float64Array, options: IntersectionOptions = {}): ConvexMesh {
  requireObject("intersectHalfspaces", "planes", planes, "a Float64Array");
  checkOptions("intersectHalfspaces", options, ["bounds"]);
  const { bounds = 1 } = options;
  requireBounds("intersectHalfspaces", bounds);
  let solid: Solid | null = cube(bounds);
  for (const plane of normalizedHalfspaces("intersectHalfspaces", planes, 4)) {
    solid = clip(solid, plane, smallUnit(bounds));
    if (solid === null) return { vertices: new Float64Array(0), faces: [], planeOfFace: new Int32Array(0) };
  }
  return compact(solid);
}
