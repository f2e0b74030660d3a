import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { byEnumeration } from "../claims/polytopes.js";
import {
  intersectHalfplanes,
  intersectHalfspaces,
  meshArea,
  meshTopology,
  meshVolume,
  polygonArea,
} from "../src/index.js";
import { weld } from "../src/weld.js";
import { fixture } from "./fixture.js";

const box = [1, 0, 0, -0.3, -1, 0, 0, -0.3, 0, 1, 0, -0.2, 0, -1, 0, -0.2, 0, 0, 1, -0.1, 0, 0, -1, -0.1];

function solid(planes: ArrayLike<number>, bounds?: number) {
  return intersectHalfspaces(Float64Array.from(planes), bounds === undefined ? {} : { bounds });
}

function expectClosed(mesh: ReturnType<typeof solid>): void {
  expect(meshTopology(mesh)).toMatchObject({ closed: true, euler: 2 });
}

describe("the intersection of half-spaces", () => {
  it("is a box with 8 vertices, and with a corner cut 10 vertices and 7 faces", () => {
    expect(meshTopology(solid(box))).toEqual({ vertices: 8, edges: 12, faces: 6, euler: 2, closed: true });
    expect(meshVolume(solid(box))).toBeCloseTo(0.6 * 0.4 * 0.2, 14);
    const cut = solid([...box, 1, 1, 1, -0.5]);
    expect(meshTopology(cut)).toEqual({ vertices: 10, edges: 15, faces: 7, euler: 2, closed: true });
    expect(meshVolume(cut)).toBeCloseTo(0.048 - 0.1 ** 3 / 6, 14);
  });

  it.each([0, 1, 2])("has the volume and area that qhull finds, case %i", (i) => {
    const { planes, volume, area } = fixture.polytopes[i];
    const mesh = solid(planes);
    expectClosed(mesh);
    expect(meshVolume(mesh)).toBeCloseTo(volume, 10);
    expect(meshArea(mesh)).toBeCloseTo(area, 10);
  });

  it("has the volume that enumerating vertices gives, for random planes", () => {
    const rng = random.rng(3);
    for (let i = 0; i < 5; i++) {
      const rows = (rng.sphere([9, 3], { dtype: "float64" }).toArray() as number[][]).map((n) => [...n, -0.4]);
      const expected = byEnumeration(rows);
      const mesh = solid(rows.flat());
      expect(meshVolume(mesh)).toBeCloseTo(expected.volume, 9);
      expect(meshArea(mesh)).toBeCloseTo(expected.area, 9);
    }
  });

  it.each([1e-310, 1e-100, 1e-13, 1, 1e100, 1e306])(
    "takes planes of any length, repeated or redundant: %f",
    (scale) => {
      const scaled = box.map((x, i) => x * scale * (1 + Math.floor(i / 4)));
      const mesh = solid([...scaled, ...box, 1, 0, 0, -0.9, 1, 0, 0, -0.3, 0, 0, 0, -5, 0, 0, 0, 0, 1e-13, 0, 0, -1]);
      expect(meshTopology(mesh)).toMatchObject({ vertices: 8, faces: 6, closed: true });
      expect([...mesh.planeOfFace].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(meshVolume(mesh)).toBeCloseTo(meshVolume(solid(box)), scale < 1e-300 ? 8 : 12);
      const square = [-1, 0, -0.2, 1, 0, -0.2, 0, -1, -0.2, 0, 1, -0.2].map((x) => x * scale);
      const { vertices } = intersectHalfplanes(Float64Array.from([...square, 0, 0, -1]));
      expect(polygonArea(vertices)).toBeCloseTo(0.16, scale < 1e-300 ? 8 : 12);
    },
  );

  it("holds nothing where a plane without a normal, or a far one, has all points outside", () => {
    for (const none of [
      [0, 0, 0, 5],
      [0, 0, 0, 1e-20],
      [1e-13, 0, 0, 1],
      [1e-300, 0, 0, 1e300],
    ]) {
      expect(solid([...box, ...none]).faces).toEqual([]);
    }
    expect(intersectHalfplanes(Float64Array.of(0, 0, 1)).vertices).toHaveLength(0);
  });

  it("is empty or cut to the cube where it must be", () => {
    expect(solid([...box, 1, 0, 0, 0.31]).faces).toEqual([]);
    expect(solid([...box, 1, 0, 0, 0.3]).faces).toEqual([]);
    expect(meshVolume(solid([1, 0, 0, 0]))).toBeCloseTo(4, 12);
    expect(meshVolume(solid([], 0.5))).toBeCloseTo(1, 12);
  });

  it("is itself again where a plane only touches a vertex, an edge or a face", () => {
    const vertex = [1, 1, 1, -0.6];
    const edge = [1, 1, 0, -0.5];
    expect(meshTopology(solid([...box, ...vertex, ...edge, 1, 0, 0, -0.3]))).toMatchObject({ vertices: 8, faces: 6 });
  });

  it("stays closed through 200 nearly parallel planes, however near", () => {
    for (const noise of [1e-3, 1e-6, 1e-8, 1e-9, 3e-10, 1e-10, 1e-12, 0]) {
      const u = random.rng(noise).normal([800], { dtype: "float64" }).data();
      const planes = Array.from({ length: 800 }, (_, i) => box[i % 24] + noise * u[i]);
      const mesh = solid(planes);
      expectClosed(mesh);
      expect(Math.abs(meshVolume(mesh) - 0.048)).toBeLessThan(4 * noise + 1e-9);
    }
  });

  it("stays closed for planes through one point, as of a cone with many sides", () => {
    const cone = Array.from({ length: 90 }, (_, i) => {
      const angle = (2 * Math.PI * i) / 90;
      return [Math.cos(angle), Math.sin(angle), 0.5, -0.25];
    });
    const mesh = solid([...cone.flat(), 0, 0, -1, -0.3]);
    expectClosed(mesh);
    expect(mesh.faces.length).toBe(91);
  });

  it("does not change when a plane is scaled, and turns with its planes", () => {
    const { planes } = fixture.polytopes[0];
    const mesh = solid(planes);
    const scaled = solid(planes.map((x: number, i: number) => x * (i >> 2 === 3 ? 7.5 : 1)));
    expect(scaled.faces).toEqual(mesh.faces);
    scaled.vertices.forEach((x, i) => {
      expect(x).toBeCloseTo(mesh.vertices[i], 12);
    });
    const turned = solid(planes.map((_: number, i: number) => planes[(i & ~3) + [1, 2, 0, 3][i & 3]]));
    expect(meshVolume(turned)).toBeCloseTo(meshVolume(mesh), 12);
    expect(meshTopology(turned)).toEqual(meshTopology(mesh));
  });

  it("says what is wrong", () => {
    expect(() => solid([1, 2, 3])).toThrow(/give 4 per half-space/);
    expect(() => solid([1, Number.NaN, 0, 0])).toThrow(/half-space 0 is \[1, NaN, 0, 0\]; its numbers must be finite/);
    expect(() => solid(box, 0)).toThrow(/bounds is 0; it must be > 0/);
  });
});

describe("the intersection of half-planes", () => {
  const square = [1, 0, -0.3, -1, 0, -0.3, 0, 1, -0.2, 0, -1, -0.2];
  const polygon = (lines: ArrayLike<number>) => intersectHalfplanes(Float64Array.from(lines));

  it("has the area of the closed form", () => {
    expect(polygonArea(polygon(square).vertices)).toBeCloseTo(0.24, 14);
    const cut = polygon([...square, 2, 2, -0.8]);
    expect(polygonArea(cut.vertices)).toBeCloseTo(0.24 - 0.005, 14);
    expect([...cut.lineOfEdge].sort()).toEqual([0, 1, 2, 3, 4]);
    const m = 200;
    const round = Array.from({ length: m }, (_, i) => [
      Math.cos((2 * Math.PI * i) / m),
      Math.sin((2 * Math.PI * i) / m),
      -0.4,
    ]);
    expect(polygonArea(polygon(round.flat()).vertices)).toBeCloseTo(m * 0.16 * Math.tan(Math.PI / m), 12);
  });

  it("is empty or cut to the square where it must be", () => {
    expect(polygon([...square, 1, 0, 0.3]).vertices.length).toBe(0);
    expect(polygonArea(polygon([1, 0, 0]).vertices)).toBeCloseTo(2, 14);
  });

  it("takes repeated lines, a line through a vertex, and 200 nearly parallel ones", () => {
    expect(polygon([...square, ...square, 1, 1, -0.5]).vertices.length).toBe(8);
    for (const noise of [1e-4, 1e-9, 1e-12]) {
      const u = random.rng(noise).normal([600], { dtype: "float64" }).data();
      const area = polygonArea(polygon(Array.from({ length: 600 }, (_, i) => square[i % 12] + noise * u[i])).vertices);
      expect(Math.abs(area - 0.24)).toBeLessThan(5 * noise + 1e-12);
    }
  });

  it("gives edges that lie on their lines", () => {
    const lines = [...square, 1, 1, -0.35, -1, 0.5, -0.3];
    const { vertices, lineOfEdge } = polygon(lines);
    lineOfEdge.forEach((line, v) => {
      const w = (v + 1) % lineOfEdge.length;
      for (const k of [v, w]) {
        expect(
          lines[3 * line] * vertices[2 * k] + lines[3 * line + 1] * vertices[2 * k + 1] + lines[3 * line + 2],
        ).toBeCloseTo(0, 12);
      }
    });
  });
});

describe("welding", () => {
  it("joins vertices that are near, and keeps the convex closed", () => {
    const sliver = solid([...box, 1, 1, 1, -0.6 + 1e-5]);
    expect(sliver.vertices.length / 3).toBe(10);
    const joined = weld(sliver, 1e-4);
    expect(meshTopology(joined)).toEqual({ vertices: 8, edges: 12, faces: 6, euler: 2, closed: true });
    expect(weld(sliver, 0)).toBe(sliver);
  });

  it("keeps the mesh where joining would open or flatten it", () => {
    const thin = solid([1, 0, 0, -1e-5, -1, 0, 0, 0, ...box]);
    expect(weld(thin, 1e-4)).toBe(thin);
  });
});
