import type { Claim } from "@offprint/claims";
import type { Rng } from "@offprint/tensor-core";
import { intersectHalfspaces, meshArea, meshTopology, meshVolume } from "../src/index.js";

/** How a claim makes polyhedra: the package's function, or a broken one in its place. */
export type Intersect = typeof intersectHalfspaces;

/** Half-spaces, and the volume and area of their intersection where there is a closed form. */
interface Polytope {
  readonly name: string;
  readonly planes: readonly (readonly [number, number, number, number])[];
  readonly exact?: { readonly volume: number; readonly area: number };
}

function box(w: number, h: number, d: number): [number, number, number, number][] {
  return [
    [1, 0, 0, -w],
    [-1, 0, 0, -w],
    [0, 1, 0, -h],
    [0, -1, 0, -h],
    [0, 0, 1, -d],
    [0, 0, -1, -d],
  ];
}

function tangent(directions: readonly (readonly number[])[], radius: number): [number, number, number, number][] {
  return directions.map(([x, y, z]) => [x, y, z, -radius]);
}

function fibonacci(k: number): number[][] {
  return Array.from({ length: k }, (_, i) => {
    const z = 1 - (2 * i + 1) / k;
    const angle = Math.PI * (1 + Math.sqrt(5)) * i;
    return [Math.sqrt(1 - z * z) * Math.cos(angle), Math.sqrt(1 - z * z) * Math.sin(angle), z];
  });
}

function polytopes(rng: Rng): Polytope[] {
  const whole = box(0.3, 0.2, 0.1);
  const volume = 8 * 0.3 * 0.2 * 0.1;
  const area = 8 * (0.3 * 0.2 + 0.2 * 0.1 + 0.1 * 0.3);
  const t = 0.1;
  // A corner cut at distance t along each edge: a tetrahedron goes, an equilateral triangle of side t root 2 comes.
  const cut = { volume: volume - t ** 3 / 6, area: area - (3 * t * t) / 2 + (Math.sqrt(3) / 2) * t * t };
  const corner: [number, number, number, number] = [1, 1, 1, -(0.6 - t)];
  const scaled = [...whole, ...whole].map((p, i) => p.map((x) => x * (1 + i)) as [number, number, number, number]);
  const random = rng.sphere([14, 3], { dtype: "float64" }).toArray() as number[][];
  return [
    { name: "box", planes: whole, exact: { volume, area } },
    { name: "box without a corner", planes: [...whole, corner], exact: cut },
    { name: "repeated, redundant, not normalised", planes: [...scaled, [1, 0, 0, -5], corner, corner], exact: cut },
    { name: "14 random tangent planes", planes: tangent(random, 0.3) },
    { name: "20 Fibonacci planes", planes: tangent(fibonacci(20), 0.3) },
  ];
}

/** Volume and area from the vertices that triples of planes have, face by face: another way to the same figures. */
export function byEnumeration(planes: readonly (readonly number[])[]): { volume: number; area: number } {
  const units = planes.map((p) => p.map((x) => x / Math.hypot(p[0], p[1], p[2])));
  const all = [...units, ...box(1, 1, 1)];
  const distinct = all.filter((p, i) => !all.slice(0, i).some((q) => p.every((x, k) => Math.abs(x - q[k]) < 1e-12)));
  let [volume, area] = [0, 0];
  for (const [i, face] of distinct.entries()) {
    const corners: number[][] = [];
    for (let j = 0; j < distinct.length; j++) {
      for (let k = j + 1; k < distinct.length; k++) {
        if (j === i || k === i) continue;
        const point = meeting(face, distinct[j], distinct[k]);
        if (point === null || distinct.some((p) => p[0] * point[0] + p[1] * point[1] + p[2] * point[2] + p[3] > 1e-9))
          continue;
        if (!corners.some((q) => Math.hypot(q[0] - point[0], q[1] - point[1], q[2] - point[2]) < 1e-9))
          corners.push(point);
      }
    }
    const own = faceArea(face, corners);
    area += own;
    volume -= (own * face[3]) / 3;
  }
  return { volume, area };
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** The point on three planes, by Cramer's rule; null where they have no single one. */
function meeting(p: readonly number[], q: readonly number[], r: readonly number[]): number[] | null {
  const [qr, rp, pq] = [cross(q, r), cross(r, p), cross(p, q)];
  const determinant = p[0] * qr[0] + p[1] * qr[1] + p[2] * qr[2];
  if (Math.abs(determinant) < 1e-12) return null;
  return [0, 1, 2].map((i) => -(p[3] * qr[i] + q[3] * rp[i] + r[3] * pq[i]) / determinant);
}

/** Area of a convex face from its corners in any order: sorted by angle about their middle. */
function faceArea(face: readonly number[], corners: readonly (readonly number[])[]): number {
  if (corners.length < 3) return 0;
  const middle = [0, 1, 2].map((i) => corners.reduce((sum, c) => sum + c[i], 0) / corners.length);
  const from = (c: readonly number[]) => c.map((x, i) => x - middle[i]);
  const u = from(corners[0]);
  const v = cross(face, u);
  const dot = (a: readonly number[], b: readonly number[]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const sorted = corners.map(from).sort((a, b) => Math.atan2(dot(a, v), dot(a, u)) - Math.atan2(dot(b, v), dot(b, u)));
  return sorted.reduce((sum, a, i) => sum + Math.hypot(...cross(a, sorted[(i + 1) % sorted.length])) / 2, 0);
}

/** Polyhedra of half-spaces are exact and closed. */
export function exactPolytopes(intersect: Intersect = intersectHalfspaces): Claim {
  return {
    id: "exact-polytopes",
    statement: "The polyhedron of a convex comes straight and exactly from its planes, and is closed",
    source: "Section 3.3",
    paper: "exact",
    run({ rng }) {
      let worst = 0;
      let allClosed = true;
      const rows = polytopes(rng).map(({ name, planes, exact }) => {
        const mesh = intersect(Float64Array.from(planes.flat()));
        const { vertices, faces, euler, closed } = meshTopology(mesh);
        const expected = exact ?? byEnumeration(planes);
        const error = Math.max(
          Math.abs(meshVolume(mesh) / expected.volume - 1),
          Math.abs(meshArea(mesh) / expected.area - 1),
        );
        worst = Math.max(worst, error);
        allClosed &&= closed && euler === 2;
        return [name, vertices, faces, euler, closed ? "yes" : "no", error];
      });
      return {
        measured: worst,
        holds: allClosed && worst < 1e-6,
        detail:
          "Five polyhedra, closed with V - E + F = 2, volume and area as in closed form or by enumerating vertices to a relative " +
          `1e-6: the largest error is ${worst.toExponential(1)}, and ${allClosed ? "all are" : "not all are"} closed.`,
        tables: [
          {
            title: "Polyhedra",
            columns: ["half-spaces", "vertices", "faces", "V - E + F", "closed", "relative error"],
            rows,
          },
        ],
      };
    },
  };
}
