import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { contains, meshArea, meshTopology, meshVolume } from "../src/index.js";
import type { Convex } from "../src/shape.js";
import { unionMesh } from "../src/union/union-mesh.js";

type Corners = readonly [readonly number[], readonly number[]];

/** A box by its low and high corners, turned by a matrix. */
function box([low, high]: Corners, index = 0, turn?: readonly (readonly number[])[]): Convex {
  const planes = [0, 1, 2].flatMap((axis) =>
    [-1, 1].flatMap((sign) => {
      const unit = [0, 1, 2].map((i) => (i === axis ? sign : 0));
      const normal = turn === undefined ? unit : turn.map((row) => row.reduce((s, r, i) => s + r * unit[i], 0));
      return [...normal, sign < 0 ? low[axis] : -high[axis]];
    }),
  );
  return { index, planes: Float64Array.from(planes) };
}

/** A matrix of a turn about two axes. */
function turnBy(a: number, b: number): number[][] {
  const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
  return [
    [ca, -sa * cb, sa * sb],
    [sa, ca * cb, -ca * sb],
    [0, sb, cb],
  ];
}

/** Boxes on a grid of n cells per axis: volume and surface by counting cells and their faces. */
function counted(boxes: readonly Corners[], n: number): { volume: number; area: number } {
  const filled = (i: number, j: number, k: number) =>
    boxes.some(([low, high]) => [i, j, k].every((x, axis) => x >= low[axis] && x < high[axis]));
  let [volume, area] = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) {
        if (!filled(i, j, k)) continue;
        volume++;
        for (const [a, b, c] of [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ]) {
          area += filled(i + a, j + b, k + c) ? 0 : 1;
          area += filled(i - a, j - b, k - c) ? 0 : 1;
        }
      }
    }
  }
  return { volume, area };
}

const unitBox: Corners = [
  [-0.1, -0.2, -0.3],
  [0.1, 0.2, 0.3],
];

describe("the mesh of a union", () => {
  it("of one box is the box", () => {
    const mesh = unionMesh([box(unitBox)], 1);
    expect(meshTopology(mesh)).toMatchObject({ vertices: 8, edges: 12, faces: 6, euler: 2, closed: true });
    expect(meshVolume(mesh)).toBeCloseTo(8 * 0.006, 15);
    expect(new Set(mesh.vertices.map(Math.abs))).toEqual(new Set([0.1, 0.2, 0.3]));
  });

  it("of nothing, of an empty convex and of one without an interior is empty", () => {
    const flat = box([
      [0, 0, 0],
      [0.5, 0.5, 0],
    ]);
    const empty = box([
      [0.2, 0, 0],
      [0.1, 1, 1],
    ]);
    for (const convexes of [[], [flat], [empty]]) expect(unionMesh(convexes, 1).faces).toEqual([]);
    expect(meshTopology(unionMesh([flat, box(unitBox)], 1))).toMatchObject({ vertices: 8, closed: true });
  });

  it.each([
    ["touching in a face", [0.1, -0.2, -0.3], [0.3, 0.2, 0.3], 12, 2],
    ["touching in a part of a face", [0.1, -0.1, -0.3], [0.3, 0.2, 0.3], 14, 2],
    ["touching in an edge", [0.1, 0.2, -0.3], [0.3, 0.4, 0.3], 16, 4],
    ["touching in a corner", [0.1, 0.2, 0.3], [0.3, 0.4, 0.6], 16, 4],
    ["the same", [-0.1, -0.2, -0.3], [0.1, 0.2, 0.3], 8, 2],
    ["nested", [-0.05, -0.1, -0.1], [0.05, 0.1, 0.1], 8, 2],
    ["nested, with a common face", [-0.05, -0.1, -0.3], [0.05, 0.1, 0.1], 8, 2],
    ["apart", [0.2, 0, 0], [0.3, 0.1, 0.1], 16, 4],
  ])("of boxes %s", (_, low, high, vertices, euler) => {
    for (const turn of [undefined, turnBy(0.4, 1.1)]) {
      for (const order of [1, -1]) {
        const both = [box(unitBox, 0, turn), box([low, high], 1, turn)];
        const mesh = unionMesh(order > 0 ? both : both.reverse(), 1);
        expect(meshTopology(mesh)).toMatchObject({ vertices, euler, closed: true });
        const outer = high.reduce((v, x, axis) => v * (x - low[axis]), 1);
        const common = [0, 1, 2].reduce(
          (v, a) => v * Math.max(0, Math.min(high[a], unitBox[1][a]) - Math.max(low[a], unitBox[0][a])),
          1,
        );
        expect(meshVolume(mesh)).toBeCloseTo(0.048 + outer - common, 12);
      }
    }
  });

  it("has the Euler characteristic of a frame, of a hollow box, and of a plate with two holes", () => {
    const wall = 0.1;
    const frame = [
      box([
        [-0.4, -0.4, -wall],
        [0.4, -0.3, wall],
      ]),
      box([
        [-0.4, 0.3, -wall],
        [0.4, 0.4, wall],
      ]),
      box([
        [-0.4, -0.4, -wall],
        [-0.3, 0.4, wall],
      ]),
      box([
        [0.3, -0.4, -wall],
        [0.4, 0.4, wall],
      ]),
    ]; // prettier-ignore
    expect(meshTopology(unionMesh(frame, 1))).toMatchObject({ euler: 0, closed: true });
    const bar = box([
      [-0.05, -0.4, -wall],
      [0.05, 0.4, wall],
    ]);
    expect(meshTopology(unionMesh([...frame, bar], 1))).toMatchObject({ euler: -2, closed: true });
    const lids = [
      box([
        [-0.4, -0.4, -0.2],
        [0.4, 0.4, -wall],
      ]),
      box([
        [-0.4, -0.4, wall],
        [0.4, 0.4, 0.2],
      ]),
    ];
    const hollow = unionMesh([...frame, ...lids], 1);
    expect(meshTopology(hollow)).toMatchObject({ euler: 4, closed: true });
    expect(meshVolume(hollow)).toBeCloseTo(0.8 * 0.8 * 0.4 - 0.6 * 0.6 * 0.2, 12);
  });

  it("gives pieces that meet in edges between the same corners edges of their own", () => {
    // A ring of boxes whose ends meet in an edge only: its inner and outer surface are one, pinched there.
    const ring = [
      box([
        [0, 0, 0],
        [0.1, 0.1, 0.1],
      ]),
      box([
        [0.1, 0.1, 0],
        [0.2, 0.2, 0.1],
      ]),
      box([
        [0, 0, -0.1],
        [0.2, 0.2, 0],
      ]),
      box([
        [0, 0, 0.1],
        [0.2, 0.2, 0.2],
      ]),
    ]; // prettier-ignore
    const mesh = unionMesh(ring, 1);
    expect(meshTopology(mesh).closed).toBe(true);
    expect(meshVolume(mesh)).toBeCloseTo(0.01 * 0.2 + 8e-3, 12);
  });

  it.each([3, 5, 9])("of random boxes on a grid of %i cells is what counting cells gives, also turned", (n) => {
    const rng = random.rng(`boxes ${n}`);
    for (let trial = 0; trial < 12; trial++) {
      const boxes = Array.from({ length: 2 + trial }, (): Corners => {
        const ends = rng.randint([3, 2], { high: n }).toArray() as number[][];
        return [ends.map(([a, b]) => Math.min(a, b)), ends.map(([a, b]) => Math.max(a, b) + 1)];
      });
      const { volume, area } = counted(boxes, n);
      const turn = trial % 2 === 0 ? undefined : turnBy(rng.uniform([]).item() * 6, rng.uniform([]).item() * 6);
      const mesh = unionMesh(
        boxes.map((corners, i) => box(corners, i, turn)),
        2 * n,
      );
      expect(meshTopology(mesh).closed).toBe(true);
      expect(meshVolume(mesh)).toBeCloseTo(volume, 9);
      expect(meshArea(mesh)).toBeCloseTo(area, 9);
    }
  });

  it("joins what rounding makes of corners in which four planes meet", () => {
    const octahedron = (centre: readonly number[], index: number): Convex => {
      const turn = turnBy(0.7, 0.3);
      const planes = Array.from({ length: 8 }, (_, k) => {
        const signs = [k & 1 ? 1 : -1, k & 2 ? 1 : -1, k & 4 ? 1 : -1];
        const normal = turn.map((row) => row.reduce((s, r, i) => s + r * signs[i], 0));
        return [...normal, -0.2 - normal.reduce((s, x, i) => s + x * centre[i], 0)];
      });
      return { index, planes: Float64Array.from(planes.flat()) };
    };
    const one = unionMesh([octahedron([0.01, 0.02, 0.03], 0)], 1);
    expect(meshTopology(one)).toMatchObject({ vertices: 6, edges: 12, faces: 8, euler: 2, closed: true });
    // The second one's tip is in the middle of the first.
    const two = unionMesh([octahedron([0.1, 0, 0], 0), octahedron([0.3, 0.1, 0], 1)], 1);
    expect(meshTopology(two).closed).toBe(true);
    const volume = meshVolume(two);
    expect(volume).toBeGreaterThan(meshVolume(one));
    expect(volume).toBeLessThan(2 * meshVolume(one));
  });

  it("stays closed for slivers, and for planes that rounding alone tells apart", () => {
    const rng = random.rng("slivers");
    for (let trial = 0; trial < 10; trial++) {
      const gap = 10 ** -(3 + trial);
      const shaken = (corners: Corners): Corners => {
        const move = (x: number) => x + gap * (2 * rng.uniform([], { dtype: "float64" }).item() - 1);
        return [corners[0].map(move), corners[1].map(move)];
      };
      const turn = turnBy(trial, 2 * trial + 1);
      const convexes = Array.from({ length: 4 }, (_, i) => box(shaken(unitBox), i, turn));
      const mesh = unionMesh(
        [
          ...convexes,
          box(
            shaken([
              [0.1, -0.2, -0.3],
              [0.3, 0.2, 0.3],
            ]),
            4,
            turn,
          ),
        ],
        1,
      ); // prettier-ignore
      expect(meshTopology(mesh)).toMatchObject({ closed: true, euler: 2 });
      expect(Math.abs(meshVolume(mesh) - 0.096)).toBeLessThan(gap);
    }
  });

  it.each([2, 5, 20])("of %i random convexes has the volume that random points give", (count) => {
    const rng = random.rng(`convexes ${count}`);
    const convexes = Array.from({ length: count }, (_, index): Convex => {
      const normals = rng.sphere([9, 3], { dtype: "float64" }).toArray() as number[][];
      const centre = rng.uniform([3], { low: -0.3, high: 0.3, dtype: "float64" }).data();
      const rows = normals.flatMap((n) => [...n, -0.15 - n.reduce((s, x, i) => s + x * centre[i], 0)]);
      return { index, planes: Float64Array.from(rows) };
    });
    const mesh = unionMesh(convexes, 0.5);
    expect(meshTopology(mesh).closed).toBe(true);
    const points = rng.uniform([3 * 40_000], { low: -0.5, high: 0.5, dtype: "float64" }).data() as Float64Array;
    const share = contains({ dim: 3, convexes, unconnected: [] }, points).reduce((a, b) => a + b, 0) / 40_000;
    expect(Math.abs(meshVolume(mesh) - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / 40_000));
  });
});
