import { random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { INSIDE } from "../src/decoder.js";
import {
  type BspShape,
  bspDecode,
  bspShape,
  contains,
  convexParts,
  distances,
  extractMesh,
  extractPolygons,
  meshArea,
  meshTopology,
  meshVolume,
  polygonArea,
  projectMesh,
  sampleSurface,
  writeSvg,
} from "../src/index.js";
import { cellCentres, removeRedundant, usedConvexes } from "../src/used-convexes.js";

/** A shape of boxes [low, high]. */
function boxes(...list: readonly (readonly [number[], number[]])[]): BspShape {
  const convexes = list.map(([low, high], index) => {
    const planes = low.flatMap((x, axis) => {
      const unit = (s: number) => low.map((_, i) => (i === axis ? s : 0));
      return [...unit(-1), x, ...unit(1), -high[axis]];
    });
    return { index, planes: Float64Array.from(planes) };
  });
  return { dim: list[0][0].length as 2 | 3, convexes, unconnected: [] };
}

const cross = boxes(
  [
    [-0.4, -0.1, -0.1],
    [0.4, 0.1, 0.1],
  ],
  [
    [-0.1, -0.4, -0.1],
    [0.1, 0.4, 0.1],
  ],
); // prettier-ignore

/** A grid that the convexes of these tests are well visible on. */
const coarse = { resolution: 20 };

/** Random convexes around random centres. */
function randomShape(convexes: number, seed: number): BspShape {
  const rng = random.rng(seed);
  return {
    dim: 3,
    unconnected: [],
    convexes: Array.from({ length: convexes }, (_, index) => {
      const n = rng.sphere([12, 3], { dtype: "float64" }).data();
      const centre = rng.uniform([3], { low: -0.2, high: 0.2, dtype: "float64" }).data();
      const slope = 1 + 4 * rng.uniform([]).item();
      const planes = Array.from({ length: 12 }, (_, j) => {
        const offset = -0.15 - [0, 1, 2].reduce((sum, k) => sum + n[3 * j + k] * centre[k], 0);
        return [n[3 * j], n[3 * j + 1], n[3 * j + 2], offset].map((x) => slope * x);
      });
      const sides = boxes([[...centre].map((x) => x - 0.2), [...centre].map((x) => x + 0.2)]).convexes[0].planes;
      return { index, planes: Float64Array.from([...planes.flat(), ...sides]) };
    }),
  };
}

describe("a shape of planes and connections", () => {
  const planes = tensor([
    [1, -1, 0, 0],
    [0, 0, 1, -1],
    [-0.2, -0.2, -0.1, -0.1],
  ]); // prettier-ignore

  it("has a convex for each connected column, and names those without a plane", () => {
    const shape = bspShape(planes, [
      [1, 0, 0],
      [0.5, 0, -0.3],
      [0.02, 0.01, 0],
      [1, 0, 1],
    ]); // prettier-ignore
    expect(shape.dim).toBe(2);
    expect(shape.convexes.map(({ index }) => index)).toEqual([0, 2]);
    expect(shape.unconnected).toEqual([1]);
    expect([...shape.convexes[1].planes].map((x) => Math.round(x * 10) / 10)).toEqual([0, -1, -0.1]);
  });

  it("permutes with planes and convexes", () => {
    const T = [
      [1, 0],
      [1, 1],
      [0, 1],
      [1, 1],
    ]; // prettier-ignore
    const areas = (q: any, t: number[][]) => {
      return extractPolygons(bspShape(q, t), { removeRedundant: false }).map((p) => [
        p.convex,
        polygonArea(p.vertices),
      ]);
    };
    const order = [2, 0, 3, 1];
    const q = planes.slice([null, { start: 0 }]).toArray() as number[][];
    const permuted = areas(
      q.map((row) => order.map((j) => row[j])),
      order.map((j) => [T[j][1], T[j][0]]),
    );
    for (const [convex, area] of areas(planes, T)) {
      expect(permuted.find(([other]) => other === 1 - convex)?.[1]).toBeCloseTo(area, 12);
    }
  });

  it("refuses thresholds that take unconnected planes, planes that are not finite, and shapes that do not fit", () => {
    const T = [[1], [1], [1], [1]]; // prettier-ignore
    expect(() => bspShape(planes, T, { threshold: 0 })).toThrow(/threshold is 0; it must be > 0/);
    expect(() =>
      bspShape(
        [
          [1, Number.NaN],
          [0, 1],
          [0, 0],
        ],
        [[1], [1]],
      ),
    ).toThrow(/plane 1 holds NaN/); // prettier-ignore
    expect(() => bspShape(planes, [[1], [1]])).toThrow(/give \[4, c\]/);
    expect(() =>
      bspShape(
        [
          [1, 2],
          [3, 4],
        ],
        T,
      ),
    ).toThrow(/give \[3, p\] in 2D/); // prettier-ignore
    expect(() => contains(cross, Float64Array.from([1, 2]))).toThrow(/no points in 3 dimensions/);
    expect(() => contains(cross, Float64Array.from([1, 2, Number.NaN]))).toThrow(/coordinate 2 is NaN/);
  });
});

describe("S*", () => {
  it("is what the decoder computes", () => {
    const rng = random.rng(5);
    const planes = rng.normal([1, 4, 20], { dtype: "float64" });
    const T = rng.uniform([20, 6], { low: -0.5, high: 0.5, dtype: "float64" });
    const points = rng.uniform([1, 200, 3], { low: -0.5, high: 0.5, dtype: "float64" });
    const expected = bspDecode(points, planes, T, null, 1).occupancy.data();
    distances(bspShape(planes, T), points.data() as Float64Array).forEach((s, i) => {
      expect(s).toBeCloseTo(expected[i], 10);
    });
  });

  it("is 0 exactly inside some extracted convex, for 10 000 random points away from planes", () => {
    const shape = randomShape(6, 1);
    const mesh = extractMesh(shape, { ...coarse, removeRedundant: false });
    const points = random.rng(2).uniform([42_000], { low: -0.5, high: 0.5, dtype: "float64" }).data() as Float64Array;
    const s = distances(shape, points);
    const faces = [...facePlanes(mesh).values()];
    let judged = 0;
    for (let i = 0; i < s.length; i++) {
      const [x, y, z] = points.subarray(3 * i, 3 * i + 3);
      let [near, within] = [false, false];
      for (const planes of faces) {
        let most = -Infinity;
        for (const [a, b, c, d] of planes) {
          const distance = a * x + b * y + c * z + d;
          near ||= Math.abs(distance) < 1e-3;
          most = Math.max(most, distance);
        }
        within ||= most < 0;
      }
      if (near) continue;
      judged++;
      if ((s[i] === 0) !== within) expect.fail(`point ${[x, y, z]} has S* = ${s[i]}`);
    }
    expect(judged).toBeGreaterThan(10_000);
  });

  it("is 0 on the same set when a plane is scaled", () => {
    const shape = randomShape(3, 4);
    const scaled = {
      ...shape,
      convexes: shape.convexes.map(({ index, planes }) => ({
        index,
        planes: planes.map((x, i) => x * (2 + (i >> 2))),
      })),
    };
    const points = cellCentres(3, 24);
    expect(contains(scaled, points)).toEqual(contains(shape, points));
  });
});

/** Outward unit planes of the faces of each convex of a mesh. */
function facePlanes(mesh: ReturnType<typeof extractMesh>): Map<number, number[][]> {
  const found = new Map<number, number[][]>();
  mesh.faces.forEach((loop, f) => {
    const [a, b, c] = loop.map((v) => mesh.vertices.subarray(3 * v, 3 * v + 3));
    const u = b.map((x, i) => x - a[i]);
    const v = c.map((x, i) => x - a[i]);
    const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const length = Math.hypot(...n) || 1;
    const unit = n.map((x) => x / length);
    const convex = mesh.convexOfFace[f];
    found.set(convex, [...(found.get(convex) ?? []), [...unit, -unit.reduce((sum, x, i) => sum + x * a[i], 0)]]);
  });
  return found;
}

describe("used convexes", () => {
  it("are those that hold a cell", () => {
    const shape = boxes(
      [
        [-0.4, -0.4],
        [-0.1, 0.4],
      ],
      [
        [0.2, 0.2],
        [0.201, 0.201],
      ],
      [
        [0.1, -0.4],
        [0.4, 0.4],
      ],
    ); // prettier-ignore
    expect(usedConvexes(shape, 16).places).toEqual([0, 2]);
    expect(extractPolygons(shape, { resolution: 16 }).map(({ convex }) => convex)).toEqual([0, 2]);
  });

  it.each([2, 3] as const)("hold the cells whose distance says so, one by one, in %iD", (dim) => {
    const solid = randomShape(20, 5);
    const convexes = solid.convexes.map(({ index, planes }) => {
      return { index, planes: planes.filter((_, i) => dim === 3 || i % 4 !== 2).map((x) => 20 * x) };
    });
    const points = cellCentres(dim, 12);
    const { places, inside } = usedConvexes({ ...solid, dim, convexes }, 12);
    const one = (place: number) => distances({ ...solid, dim, convexes: [convexes[place]!] }, points);
    const expected = convexes.map((_, place) => Array.from(one(place), (d) => (d < INSIDE ? 1 : 0)));
    expect(places).toEqual(expected.flatMap((mask, place) => (mask.some((cell) => cell === 1) ? [place] : [])));
    expect(inside.map((mask) => [...mask])).toEqual(places.map((place) => expected[place]));
  });

  it("are the same whatever the scale of planes, and none is lost", () => {
    const at = (scale: number) => {
      const corners = [
        [-0.4, -0.1],
        [0.1, 0.4],
      ];
      const convexes = corners.map(([low, high], index) => {
        const rows = [0, 1, 2].flatMap((axis) => {
          const unit = [0, 1, 2].map((i) => (i === axis ? 1 : 0));
          return [...unit.map((x) => -x), low, ...unit, -high];
        });
        return { index, planes: Float64Array.from(rows, (x) => scale * x) };
      });
      return { dim: 3 as const, convexes, unconnected: [] };
    };
    for (const scale of [1e-300, 1e-6, 1e-3, 1, 1e6, 1e300]) {
      for (const union of [false, true]) {
        const mesh = extractMesh(at(scale), { resolution: 16, union });
        expect(mesh.faces).toHaveLength(12);
        expect(meshVolume(mesh)).toBeCloseTo(2 * 0.3 ** 3, 12);
      }
    }
  });

  it("lose those that others cover, in order, and the union on the grid stays", () => {
    const mask = (...cells: number[]) => Uint8Array.from({ length: 5 }, (_, i) => (cells.includes(i) ? 1 : 0));
    expect(removeRedundant([mask(0, 1), mask(1, 2), mask(2, 3), mask(0)])).toEqual([1, 2, 3]);
    expect(removeRedundant([mask(1), mask(0, 1, 2), mask(2)])).toEqual([1]);
    expect(removeRedundant([mask(1), mask(1)])).toEqual([1]);
    expect(removeRedundant([])).toEqual([]);
    expect(() => removeRedundant([mask(1), new Uint8Array(3)])).toThrow(/5 and 3 cells/);
    const { inside } = usedConvexes(randomShape(60, 7), 12);
    const kept = removeRedundant(inside);
    expect(kept.length).toBeLessThan(inside.length);
    for (let k = 0; k < inside[0].length; k++) {
      expect(kept.some((i) => inside[i][k] === 1)).toBe(inside.some((m) => m[k] === 1));
    }
  });
});

describe("the mesh of a shape", () => {
  it("is a closed polyhedron per convex, numbered as the convex", () => {
    const mesh = extractMesh(cross, coarse);
    expect(meshTopology(mesh)).toMatchObject({ vertices: 16, faces: 12, euler: 4, closed: true });
    const parts = convexParts(mesh);
    expect([...parts.keys()]).toEqual([0, 1]);
    for (const part of parts.values()) {
      expect(meshTopology(part)).toMatchObject({ euler: 2, closed: true });
      expect(meshVolume(part)).toBeCloseTo(0.032, 12);
    }
    expect(() =>
      extractMesh(
        boxes([
          [0, 0],
          [1, 1],
        ]),
      ),
    ).toThrow(/use extractPolygons/); // prettier-ignore
    expect(() => extractPolygons(cross)).toThrow(/use extractMesh/);
    expect(() => extractMesh(cross, { bounds: -1 })).toThrow(/bounds is -1/);
  });

  it("has as its union's boundary the area and the volume of the union", () => {
    const boundary = extractMesh(cross, { ...coarse, union: true });
    expect(meshVolume(boundary)).toBeCloseTo(2 * 0.032 - 0.008, 12);
    expect(meshArea(boundary)).toBeCloseTo(2 * (2 * 0.04 + 4 * 0.16) - 6 * 0.04, 12);
    expect(Math.min(...boundary.vertices)).toBeCloseTo(-0.4, 12);
    expect(Math.max(...boundary.vertices)).toBeCloseTo(0.4, 12);
  });

  it("has nothing between boxes that touch, and a shared face once", () => {
    const touching = boxes(
      [
        [-0.4, -0.1, -0.1],
        [0, 0.1, 0.1],
      ],
      [
        [0, -0.1, -0.1],
        [0.4, 0.1, 0.1],
      ],
    ); // prettier-ignore
    const joined = extractMesh(touching, { ...coarse, union: true });
    expect(meshVolume(joined)).toBeCloseTo(0.032, 12);
    expect(meshArea(joined)).toBeCloseTo(2 * 0.04 + 4 * 0.16, 12);
    const nested = boxes(
      [
        [-0.4, -0.1, -0.1],
        [0.4, 0.1, 0.1],
      ],
      [
        [-0.2, -0.1, -0.1],
        [0.2, 0.1, 0.1],
      ],
    ); // prettier-ignore
    const one = extractMesh(nested, { ...coarse, removeRedundant: false, union: true });
    expect(meshArea(one)).toBeCloseTo(2 * 0.04 + 4 * 0.16, 12);
  });

  it("has the union's volume for random convexes, as cells count it", () => {
    const shape = randomShape(8, 9);
    const cells = contains(shape, cellCentres(3, 64)).reduce((a, b) => a + b, 0) / 64 ** 3;
    const boundary = extractMesh(shape, { ...coarse, union: true, removeRedundant: false });
    expect(Math.abs(meshVolume(boundary) - cells) / cells).toBeLessThan(0.01);
  });

  it("gives surface samples on the boundary of the union only, uniform by area", () => {
    const mesh = extractMesh(cross, coarse);
    const { points, normals } = sampleSurface(mesh, 4000, random.rng(1), { shape: cross });
    const outside = points.map((x, i) => x + 1e-3 * normals[i]);
    const inside = points.map((x, i) => x - 1e-3 * normals[i]);
    expect(contains(cross, outside).reduce((a, b) => a + b, 0)).toBe(0);
    expect(contains(cross, inside).reduce((a, b) => a + b, 0)).toBe(4000);
    const ends = Array.from({ length: 4000 }, (_, i) => Math.abs(points[3 * i]) > 0.4 - 1e-9).filter(Boolean).length;
    // Two ends of area 0.04 out of a boundary of 1.2.
    expect(Math.abs(ends / 4000 - 0.08 / 1.2)).toBeLessThan(0.015);
  });
});

describe("pictures", () => {
  it("show of a box the three faces that look at the viewer, in the projected size", () => {
    const drawn = projectMesh(
      extractMesh(
        boxes([
          [-0.5, -0.5, -0.5],
          [0.5, 0.5, 0.5],
        ]),
        coarse,
      ),
    ); // prettier-ignore
    expect(drawn.length).toBe(3);
    const area = drawn.reduce((sum, { points }) => sum + polygonArea(points), 0);
    const [a, e] = [(35 * Math.PI) / 180, (25 * Math.PI) / 180];
    expect(area).toBeCloseTo(Math.cos(e) * (Math.sin(a) + Math.cos(a)) + Math.sin(e), 10);
    for (const { shade } of drawn) expect(shade).toBeGreaterThan(0);
  });

  it("draw what is in front last: the last polygon over a place is the nearest", () => {
    const mesh = extractMesh(cross, coarse);
    const front = projectMesh(mesh, { azimuth: 0, elevation: 0 });
    const over = (x: number, y: number) => front.filter(({ points }) => within(points, x, y)).at(-1)?.convex;
    const lifted = extractMesh(
      boxes(
        [
          [-0.4, -0.1, -0.1],
          [0.4, 0.1, 0.1],
        ],
        [
          [-0.1, -0.4, 0.05],
          [0.1, 0.4, 0.2],
        ],
      ),
      coarse,
    ); // prettier-ignore
    const ordered = projectMesh(lifted, { azimuth: 20, elevation: 10 });
    expect(over(0.3, 0)).toBe(0);
    expect(ordered.filter(({ points }) => within(points, 0.04, 0.05)).at(-1)?.convex).toBe(1);
  });

  it("are SVG files", () => {
    const svg = writeSvg(extractMesh(cross, coarse), { width: 200 });
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="200"/);
    expect(svg.match(/<path /g)?.length).toBeGreaterThanOrEqual(6);
    expect(svg).not.toContain("NaN");
    expect(
      writeSvg(
        extractPolygons(
          boxes([
            [-0.4, -0.4],
            [0.4, 0.4],
          ]),
        ),
      ),
    ).toContain("L479 1"); // prettier-ignore
    expect(writeSvg([])).toContain("</svg>");
  });
});

function within(points: readonly number[], x: number, y: number): boolean {
  const n = points.length / 2;
  for (let v = 0; v < n; v++) {
    const w = (v + 1) % n;
    const [ax, ay] = [points[2 * v], points[2 * v + 1]];
    if ((points[2 * w] - ax) * (y - ay) - (points[2 * w + 1] - ay) * (x - ax) < 0) return false;
  }
  return true;
}
