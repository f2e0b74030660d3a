import { checkOptions, requireObject } from "@offprint/tensor-core";
import type { PolyMesh } from "./poly-mesh.js";
import { facePolygons, type SpacePolygon, splitPolygon } from "./polygon-split.js";

/** Options of `projectMesh`. */
export interface ViewOptions {
  /** Turn about the y axis, in degrees. Default 35. */
  azimuth?: number;
  /** Height of the viewer above the xz plane, in degrees. Default 25. */
  elevation?: number;
}

/** A face as the viewer sees it. */
export interface ProjectedPolygon {
  /** x and y of the corners, y upwards, in units of space. */
  readonly points: readonly number[];
  /** Number of the convex that it belongs to. */
  readonly convex: number;
  /** Brightness, from 0 for light at grazing incidence to 1. */
  readonly shade: number;
}

interface SpaceNode {
  readonly plane: SpacePolygon["plane"];
  readonly within: SpacePolygon[];
  readonly inner: SpaceNode | null;
  readonly outer: SpaceNode | null;
}

/** Polygons whose planes are tried as the root of a tree. */
const TRIED = 8;

/** The polygon whose plane cuts fewest others, among some of them. */
function bestRoot(polygons: readonly SpacePolygon[]): SpacePolygon {
  const tried = Math.min(TRIED, polygons.length);
  let [best, fewest] = [polygons[0], Infinity];
  for (let i = 0; i < tried; i++) {
    const candidate = polygons[Math.floor((i * polygons.length) / tried)];
    const cuts = polygons.filter((polygon) => {
      const { inner, outer } = splitPolygon(polygon, candidate.plane);
      return inner !== null && outer !== null;
    }).length;
    if (cuts < fewest) [best, fewest] = [candidate, cuts];
  }
  return best;
}

/** A binary space partition of polygons by their own planes. */
function partition(polygons: readonly SpacePolygon[]): SpaceNode | null {
  if (polygons.length === 0) return null;
  const { plane } = bestRoot(polygons);
  const within: SpacePolygon[] = [];
  const inside: SpacePolygon[] = [];
  const outside: SpacePolygon[] = [];
  for (const polygon of polygons) {
    const { inner, outer } = splitPolygon(polygon, plane);
    if (inner === null && outer === null) within.push(polygon);
    if (inner !== null) inside.push(inner);
    if (outer !== null) outside.push(outer);
  }
  // A polygon that rounding takes off its own plane still ends the recursion here.
  if (within.length === 0) within.push(...(inside.length === polygons.length ? inside : outside).splice(0, 1));
  return { plane, within, inner: partition(inside), outer: partition(outside) };
}

type Vector = readonly [number, number, number];

const dot = (a: Vector, b: readonly number[]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Calls `visit` from the farthest polygon to the nearest, as seen from far away in a direction. */
function backToFront(node: SpaceNode | null, viewer: Vector, visit: (polygon: SpacePolygon) => void): void {
  if (node === null) return;
  const facing = dot(viewer, node.plane) > 0;
  backToFront(facing ? node.inner : node.outer, viewer, visit);
  for (const polygon of node.within) visit(polygon);
  backToFront(facing ? node.outer : node.inner, viewer, visit);
}

/**
 * A parallel projection of a mesh, drawn right by drawing the polygons in order: those that look away are left out,
 * the others cut by a binary space partition until no two hide each other.
 */
export function projectMesh(mesh: PolyMesh, options: ViewOptions = {}): ProjectedPolygon[] {
  requireObject("projectMesh", "mesh", mesh, "a PolyMesh");
  checkOptions("projectMesh", options, ["azimuth", "elevation"]);
  const { azimuth = 35, elevation = 25 } = options;
  const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180];
  const viewer: Vector = [Math.sin(a) * Math.cos(e), Math.sin(e), Math.cos(a) * Math.cos(e)];
  const right: Vector = [Math.cos(a), 0, -Math.sin(a)];
  const up: Vector = [-Math.sin(a) * Math.sin(e), Math.cos(e), -Math.cos(a) * Math.sin(e)];
  const light = [0, 1, 2].map((i) => 0.9 * viewer[i] + 0.5 * up[i] - 0.25 * right[i]) as unknown as Vector;
  const brightest = Math.hypot(...light);
  const facing = facePolygons(mesh).filter(({ plane }) => dot(viewer, plane) > 1e-9);
  const drawn: ProjectedPolygon[] = [];
  backToFront(partition(facing), viewer, ({ points, plane, convex }) => {
    const flat: number[] = [];
    for (let i = 0; i < points.length; i += 3) {
      const point = points.slice(i, i + 3);
      flat.push(dot(right, point), dot(up, point));
    }
    drawn.push({ points: flat, convex, shade: Math.max(0, dot(light, plane) / brightest) });
  });
  return drawn;
}
