import { requireObject, ValueError } from "@offprint/tensor-core";
import { forEachTriangle, meshTopology, type PolyMesh } from "./poly-mesh.js";

/** A surface of polygons. */
export type Surface = Pick<PolyMesh, "vertices" | "faces">;

/** Throws unless a mesh is closed. */
export function requireClosed(owner: string, mesh: Surface): void {
  if (meshTopology(mesh).closed) return;
  throw new ValueError(
    `${owner}: the mesh is not closed: an edge has no face, or faces facing the same way, beside it; close it first`,
  );
}

const MOST_BINS = 512;

/** Triangles by the cells of a grid over x and y that they reach into. */
class Columns {
  private readonly low: readonly [number, number];
  private readonly width: readonly [number, number];
  private readonly bins: number;
  /** Triangles of each cell, one cell after the other, and where each begins. */
  private readonly triangles: Int32Array;
  private readonly starts: Int32Array;

  constructor(
    private readonly vertices: Float64Array,
    private readonly corners: Int32Array,
  ) {
    const count = corners.length / 3;
    this.bins = Math.min(MOST_BINS, Math.max(1, Math.ceil(Math.sqrt(count))));
    const extent = (axis: number) => {
      let [least, most] = [Infinity, -Infinity];
      for (let i = axis; i < vertices.length; i += 3) {
        least = Math.min(least, vertices[i]);
        most = Math.max(most, vertices[i]);
      }
      return [least, most - least || 1];
    };
    const [x, y] = [extent(0), extent(1)];
    this.low = [x[0], y[0]];
    this.width = [x[1], y[1]];
    this.starts = new Int32Array(this.bins * this.bins + 1);
    this.eachPlace((cell) => this.starts[cell + 1]++);
    for (let c = 1; c < this.starts.length; c++) this.starts[c] += this.starts[c - 1];
    this.triangles = new Int32Array(this.starts[this.starts.length - 1]);
    const next = this.starts.slice();
    this.eachPlace((cell, triangle) => {
      this.triangles[next[cell]++] = triangle;
    });
  }

  private along(axis: 0 | 1, x: number): number {
    const at = Math.floor(((x - this.low[axis]) / this.width[axis]) * this.bins);
    return Math.min(this.bins - 1, Math.max(0, at));
  }

  private eachPlace(visit: (cell: number, triangle: number) => void): void {
    const { vertices: p, corners } = this;
    for (let t = 0; t < corners.length / 3; t++) {
      const range = (axis: 0 | 1) => {
        const [a, b, c] = [0, 1, 2].map((k) => p[3 * corners[3 * t + k] + axis]);
        return [this.along(axis, Math.min(a, b, c)), this.along(axis, Math.max(a, b, c))];
      };
      const [i, j] = [range(0), range(1)];
      for (let a = i[0]; a <= i[1]; a++) for (let b = j[0]; b <= j[1]; b++) visit(a * this.bins + b, t);
    }
  }

  /** How often the surface turns around a point: what it crosses above it, upwards less downwards. */
  winding(x: number, y: number, z: number): number {
    const cell = this.along(0, x) * this.bins + this.along(1, y);
    let total = 0;
    for (let i = this.starts[cell]; i < this.starts[cell + 1]; i++) {
      const t = 3 * this.triangles[i];
      const [a, b, c] = [this.corners[t], this.corners[t + 1], this.corners[t + 2]];
      // Triangles that share an edge ask the same about it, so that no point falls between them.
      const turns = this.crossing(a, b, x, y) + this.crossing(b, c, x, y) + this.crossing(c, a, x, y);
      if (turns !== 0 && this.heightAt(a, b, c, x, y) > z) total += turns;
    }
    return total;
  }

  /** 1 or -1 where the edge passes the point's y to the right of the point, upwards or downwards; else 0. */
  private crossing(from: number, to: number, x: number, y: number): number {
    const p = this.vertices;
    const [a, b] = from < to ? [3 * from, 3 * to] : [3 * to, 3 * from];
    const [aboveA, aboveB] = [p[a + 1] > y, p[b + 1] > y];
    if (aboveA === aboveB) return 0;
    const at = p[a] + ((y - p[a + 1]) / (p[b + 1] - p[a + 1])) * (p[b] - p[a]);
    if (x >= at) return 0;
    return aboveB === from < to ? 1 : -1;
  }

  private heightAt(u: number, v: number, w: number, x: number, y: number): number {
    const p = this.vertices;
    const [a, b, c] = [3 * u, 3 * v, 3 * w];
    const area = (p[b] - p[a]) * (p[c + 1] - p[a + 1]) - (p[c] - p[a]) * (p[b + 1] - p[a + 1]);
    if (area === 0) return p[a + 2];
    const ofB = ((x - p[a]) * (p[c + 1] - p[a + 1]) - (p[c] - p[a]) * (y - p[a + 1])) / area;
    const ofC = ((p[b] - p[a]) * (y - p[a + 1]) - (x - p[a]) * (p[b + 1] - p[a + 1])) / area;
    return p[a + 2] + ofB * (p[b + 2] - p[a + 2]) + ofC * (p[c + 2] - p[a + 2]);
  }
}

/**
 * Which points are inside a closed mesh: those that it turns around, by the signed crossings of a ray upwards. Closed
 * parts that overlap count as a union, and shells that face inward as holes.
 * @throws ValueError for a mesh that is not closed.
 */
export function meshOccupancy(mesh: Surface, owner = "meshOccupancy"): (points: Float64Array) => Uint8Array {
  requireObject("meshOccupancy", "mesh", mesh, "a Surface");
  requireClosed(owner, mesh);
  const corners: number[] = [];
  forEachTriangle(mesh, (a, b, c) => corners.push(a, b, c));
  const columns = new Columns(Float64Array.from(mesh.vertices), Int32Array.from(corners));
  return (points) => {
    const inside = new Uint8Array(points.length / 3);
    for (let k = 0; k < inside.length; k++) {
      inside[k] = columns.winding(points[3 * k], points[3 * k + 1], points[3 * k + 2]) === 0 ? 0 : 1;
    }
    return inside;
  };
}
