import { random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  boxCover,
  chamferDistance,
  contains,
  convexHull,
  edgeChamferDistance,
  extractMesh,
  intersectHalfspaces,
  meshVolume,
  normalConsistency,
  sampleSurface,
  voxelGrid,
} from "../src/index.js";
import { edgePoints } from "../src/metrics.js";
import { cellCentres } from "../src/used-convexes.js";

function box(half: number) {
  const planes = [0, 1, 2].flatMap((axis) => {
    const unit = (s: number) => [0, 1, 2].map((i) => (i === axis ? s : 0));
    return [...unit(1), -half, ...unit(-1), -half];
  });
  const mesh = intersectHalfspaces(Float64Array.from(planes));
  return { ...mesh, convexOfFace: new Int32Array(6) };
}

describe("metrics", () => {
  const a = sampleSurface(box(0.3), 2000, random.rng(1));
  const b = sampleSurface(box(0.3), 2000, random.rng(2));

  it("are those of equal surfaces where surfaces are equal", () => {
    expect(chamferDistance(a.points, a.points)).toBe(0);
    expect(normalConsistency(a, a)).toBeCloseTo(1, 12);
    expect(chamferDistance(a.points, b.points)).toBeLessThan(1e-3);
    expect(normalConsistency(a, b)).toBeGreaterThan(0.95);
  });

  it("refuse coordinates and normals that are none", () => {
    const one = Float64Array.of(0, 0, 0);
    const bad = Float64Array.of(0, 0, Number.NaN);
    expect(() => chamferDistance(one, bad)).toThrow(/chamferDistance: coordinate 2 is NaN; it must be finite/);
    const without = { points: one } as never;
    expect(() => normalConsistency({ points: one, normals: one }, without)).toThrow(
      /undefined numbers of normals for 3/,
    );
    expect(() => normalConsistency({ points: one, normals: bad }, a)).toThrow(/normals: coordinate 2 is NaN/);
    expect(() => edgeChamferDistance(a, { points: one, normals: new Float64Array(6) })).toThrow(/6 numbers of normals/);
    expect(() => sampleSurface(box(0.3), 5, undefined as never)).toThrow(/rng is undefined; give a generator/);
  });

  it.each([1e-150, 1e-30, 1e30, 1e150])("see no unit of coordinates: %f", (unit) => {
    const scaled = ({ points, normals }: typeof a) => ({ points: points.map((x) => x * unit), normals });
    const [c, d] = [scaled(a), scaled(b)];
    const usual = chamferDistance(a.points, b.points);
    expect(chamferDistance(c.points, d.points) / unit / unit / usual).toBeCloseTo(1, 12);
    expect(normalConsistency(c, d)).toBeCloseTo(normalConsistency(a, b), 12);
    expect(edgePoints(c, { radius: 0.02 * unit }).length).toBe(edgePoints(a, { radius: 0.02 }).length);
  });

  it("refuse points whose squared distances are no numbers, and compare their normals all the same", () => {
    const normals = Float64Array.of(1, 0, 0, 0, 1, 0);
    for (const unit of [1e-200, 1e200]) {
      const [c, d] = [Float64Array.of(0, 0, 0, unit, 0, 0), Float64Array.of(2 * unit, 0, 0, 0, 0, unit / 4)];
      expect(() => chamferDistance(c, d)).toThrow(/distances of a and b are about .*e[+-](199|200), .*; scale both/);
      expect(chamferDistance(c, c)).toBe(0);
      expect(normalConsistency({ points: c, normals }, { points: d, normals })).toBe(0);
    }
  });

  it("are the squared distances, both ways added", () => {
    expect(chamferDistance(Float64Array.of(0, 0, 0), Float64Array.of(0, 0, 2, 0, 3, 0))).toBeCloseTo(
      4 + (4 + 9) / 2,
      12,
    );
    const moved = a.points.map((x, i) => x + (i % 3 === 0 ? 1 : 0));
    expect(chamferDistance(a.points, moved)).toBeGreaterThan(0.1);
    expect(() => chamferDistance(new Float64Array(0), a.points)).toThrow(/at least one/);
  });

  it("find sharp edges: every edge point of a box is near two of its faces", () => {
    const edges = edgePoints(a, { radius: 0.02 });
    expect(edges.length).toBeGreaterThan(90);
    for (let i = 0; i < edges.length; i += 3) {
      const near = [0, 1, 2].filter((k) => Math.abs(edges[i + k]) > 0.3 - 0.02).length;
      expect(near).toBeGreaterThanOrEqual(2);
    }
    const smaller = sampleSurface(box(0.15), 2000, random.rng(3));
    expect(edgeChamferDistance(a, a, { radius: 0.02 })).toBe(0);
    expect(edgeChamferDistance(a, b, { radius: 0.02 })).toBeLessThan(
      edgeChamferDistance(a, smaller, { radius: 0.02 }) / 3,
    );
    const flat = { points: Float64Array.of(0, 0, 0, 0.001, 0, 0), normals: Float64Array.of(0, 0, 1, 0, 0, 1) };
    expect(() => edgeChamferDistance(a, flat)).toThrow(/surface 1 has no points near edges/);
  });
});

describe("baselines", () => {
  it("boxes cover a union of boxes on the grid exactly", () => {
    const centres = cellCentres(3, 16);
    const cells = Float32Array.from({ length: 16 ** 3 }, (_, i) => {
      const [x, y, z] = centres.subarray(3 * i, 3 * i + 3);
      const seat = Math.abs(x) < 0.4 && Math.abs(y) < 0.1 && Math.abs(z) < 0.4;
      const back = x < -0.2 && x > -0.4 && y > 0 && y < 0.45 && Math.abs(z) < 0.4;
      return seat || back ? 1 : 0;
    });
    const shape = boxCover(voxelGrid(tensor(cells, { shape: [16, 16, 16] })));
    expect(shape.convexes.length).toBe(2);
    expect([...contains(shape, centres)]).toEqual([...cells]);
    expect(() => boxCover({ resolution: 2, cells: new Uint8Array(8) }, { boxes: 0 })).toThrow(/boxes is 0/);
  });

  it("the convex hull of a box's vertices and inner points is the box", () => {
    const inner = random.rng(0).uniform([300], { low: -0.29, high: 0.29, dtype: "float64" }).data();
    const hull = convexHull(Float64Array.from([...box(0.3).vertices, ...inner].map((x) => x + 0.05)));
    const mesh = extractMesh(hull, { resolution: 16 });
    expect(mesh.faces.length).toBe(6);
    expect(meshVolume(mesh)).toBeCloseTo(0.216, 8);
    for (const unit of [1e-100, 1e-6, 1e6, 1e100]) {
      const scaled = convexHull(box(0.3).vertices.map((x) => unit * (x + 0.05)));
      const mesh = intersectHalfspaces(scaled.convexes[0]!.planes, { bounds: unit });
      expect(meshVolume(mesh) / unit ** 3).toBeCloseTo(0.6 ** 3, 6);
    }
    expect(() => convexHull(Float64Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0))).toThrow(/lie in a plane/);
  });
});
