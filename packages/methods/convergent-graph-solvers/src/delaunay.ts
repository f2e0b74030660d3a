import { requireObject, ValueError } from "@offprint/tensor-core";

/** A simplex of the growing triangulation: its corners, and the sphere through them. */
interface Simplex {
  readonly corners: readonly number[];
  readonly centre: readonly number[];
  readonly squaredRadius: number;
}

/**
 * Edges of the Delaunay triangulation of points in general position, in the plane or in space, each once with the smaller
 * number first (Bowyer 1981, Watson 1981): points come in one after the other, and simplices whose sphere holds the new
 * one make room. O(n^2), for some hundreds of points.
 * @param points `[n * dimension]`
 * @throws ValueError for fewer points than a simplex has corners, or points in a common plane or sphere.
 */
export function delaunayEdges(points: ArrayLike<number>, dimension: 2 | 3): [number, number][] {
  requireObject("delaunayEdges", "points", points, "an array of numbers");
  const n = points.length / dimension;
  if (n < dimension + 1) {
    throw new ValueError(`delaunayEdges: there are ${n} points; a triangulation needs at least ${dimension + 1}`);
  }
  const at = [...Array.from({ length: n }, (_, i) => pointOf(points, i, dimension)), ...surrounding(points, dimension)];
  let simplices = [
    simplexOf(
      at,
      at.slice(n).map((_, k) => n + k),
    ),
  ];
  for (let p = 0; p < n; p++) {
    const kept: Simplex[] = [];
    const faces = new Map<number, readonly number[]>();
    for (const simplex of simplices) {
      if (squaredDistance(simplex.centre, at[p]) > simplex.squaredRadius) {
        kept.push(simplex);
        continue;
      }
      // A face that two of the simplices share is inside the hole they leave.
      for (let k = 0; k <= dimension; k++) {
        const face = simplex.corners.filter((_, j) => j !== k);
        const key = face.reduce((number, corner) => number * at.length + corner, 0);
        if (!faces.delete(key)) faces.set(key, face);
      }
    }
    for (const face of faces.values())
      kept.push(
        simplexOf(
          at,
          [...face, p].sort((a, b) => a - b),
        ),
      );
    simplices = kept;
  }
  const edges = new Set<number>();
  for (const { corners } of simplices) {
    for (const a of corners) for (const b of corners) if (a < b && b < n) edges.add(a * n + b);
  }
  return [...edges].sort((a, b) => a - b).map((edge) => [Math.floor(edge / n), edge % n]);
}

function pointOf(points: ArrayLike<number>, i: number, dimension: number): number[] {
  return Array.from({ length: dimension }, (_, k) => points[i * dimension + k]);
}

/** Corners of a simplex far around all points. */
function surrounding(points: ArrayLike<number>, dimension: number): number[][] {
  let reach = 1e-300;
  for (let i = 0; i < points.length; i++) reach = Math.max(reach, Math.abs(points[i]));
  const far = 1e4 * reach;
  const corner = new Array<number>(dimension).fill(-far);
  return [corner, ...corner.map((_, k) => corner.map((x, j) => (j === k ? dimension * far * 2 : x)))];
}

function squaredDistance(a: readonly number[], b: readonly number[]): number {
  let total = 0;
  for (let k = 0; k < a.length; k++) total += (a[k] - b[k]) ** 2;
  return total;
}

/** The centre c of the sphere: `2 (x_k - x_0) . (c - x_0) = |x_k - x_0|^2` for all corners. */
function simplexOf(at: readonly (readonly number[])[], corners: readonly number[]): Simplex {
  const [origin, ...others] = corners.map((i) => at[i]);
  const rows = others.map((x) => {
    const side = x.map((value, k) => value - origin[k]);
    return [...side.map((s) => 2 * s), side.reduce((total, s) => total + s * s, 0)];
  });
  const offset = solved(rows);
  const squaredRadius = offset.reduce((total, s) => total + s * s, 0);
  if (!Number.isFinite(squaredRadius)) {
    throw new ValueError(
      "delaunayEdges: points lie in a line or a plane, or coincide; give points in general position",
    );
  }
  return { corners, centre: offset.map((s, k) => s + origin[k]), squaredRadius };
}

/** Gauss elimination with pivots of two or three equations, the right-hand side last. */
function solved(rows: number[][]): number[] {
  const n = rows.length;
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[best][k])) best = i;
    [rows[k], rows[best]] = [rows[best], rows[k]];
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j <= n; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let k = n - 1; k >= 0; k--) {
    let right = rows[k][n];
    for (let j = k + 1; j < n; j++) right -= rows[k][j] * x[j];
    x[k] = right / rows[k][k];
  }
  return x;
}
