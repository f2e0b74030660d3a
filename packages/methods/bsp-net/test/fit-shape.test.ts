import { grad, random, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { kMeans, spreadDirections } from "../src/convex-seeds.js";
import {
  bspDecode,
  bspLoss,
  contains,
  extractMesh,
  extractPolygons,
  fitShape,
  intersectHalfspaces,
  meshTopology,
  meshVolume,
  polygonArea,
} from "../src/index.js";
import { blockLoss } from "../src/shape-gradient.js";

const inBox = (p: Float64Array) => {
  return Uint8Array.from({ length: p.length / 3 }, (_, i) => {
    return Math.abs(p[3 * i]) < 0.3 && Math.abs(p[3 * i + 1]) < 0.2 && Math.abs(p[3 * i + 2]) < 0.25 ? 1 : 0;
  });
};
const quick = { convexes: 2, planesPerConvex: 8, steps: 200, pointsPerStep: 400, poolSize: 20_000 };

describe("the loss on typed arrays", () => {
  it.each([
    [2, false],
    [3, false],
    [2, true],
    [3, true],
  ] as const)("is that of the decoder, gradient included: %iD, overlap %s", (dim, overlap) => {
    const rng = random.rng(dim);
    const [convexes, perConvex, n] = [5, 6, 400];
    const width = dim + 1;
    // Offsets that put several convexes over many points, by little: where the overlap loss acts.
    const rows = rng.normal([convexes * perConvex, width], { dtype: "float64" });
    const data = Float64Array.from(rows.data());
    for (let j = dim; j < data.length; j += width) data[j] = -0.25 - 0.1 * Math.abs(data[j]);
    const points = rng.uniform([n * dim], { low: -0.5, high: 0.5, dtype: "float64" }).data() as Float64Array;
    const values = Uint8Array.from({ length: n }, () => (rng.uniform([]).item() < 0.6 ? 1 : 0));
    const slope = overlap ? 0.05 : 3;
    const gradient = new Float64Array(data.length);
    const loss = blockLoss({ rows: data, perConvex, dim }, { points, values }, slope, overlap, gradient);
    const T = Float64Array.from({ length: convexes * perConvex * convexes }, (_, i) => {
      return Math.floor(Math.floor(i / convexes) / perConvex) === i % convexes ? 1 : 0;
    });
    const t = tensor(T, { shape: [convexes * perConvex, convexes] });
    const x = tensor(points, { shape: [1, n, dim] });
    const v = tensor(Float64Array.from(values), { shape: [1, n, 1] });
    const phase = overlap ? 2 : 1;
    const dense = (q: Tensor) => {
      const planes = q
        .mul(slope)
        .transpose()
        .reshape([1, width, convexes * perConvex]);
      return bspLoss(bspDecode(x, planes, t, null, phase), v, t, null, phase).total;
    };
    const q = tensor(data, { shape: [convexes * perConvex, width] });
    expect(loss).toBeCloseTo(dense(q).item(), 10);
    const expected = (grad(dense)(q) as Tensor).data();
    gradient.forEach((g, i) => {
      expect(g).toBeCloseTo(expected[i], 10);
    });
    expect(expected.some((g) => g !== 0)).toBe(true);
  });
});

describe("seeds", () => {
  it("are the centres of clusters", () => {
    const rng = random.rng(0);
    const noise = rng.normal([300, 2], { std: 0.01, dtype: "float64" }).data();
    const corners = [-0.3, -0.3, 0.3, -0.3, 0, 0.4];
    const points = Float64Array.from(noise, (x, i) => x + corners[2 * ((i >> 1) % 3) + (i & 1)]);
    const centres = kMeans(points, 2, 3, 10, rng);
    for (let k = 0; k < 3; k++) {
      const nearest = Math.min(
        ...[0, 1, 2].map((c) => Math.hypot(centres[2 * c] - corners[2 * k], centres[2 * c + 1] - corners[2 * k + 1])),
      );
      expect(nearest).toBeLessThan(0.01);
    }
  });

  it.each([2, 3] as const)("look in directions spread over all of space: %iD", (dim) => {
    const k = 12;
    const d = spreadDirections(k, dim, random.rng(1));
    for (let axis = 0; axis < dim; axis++) {
      expect(Math.abs(d.filter((_, i) => i % dim === axis).reduce((a, b) => a + b, 0)) / k).toBeLessThan(0.05);
    }
    for (let j = 0; j < k; j++) expect(Math.hypot(...d.subarray(dim * j, dim * j + dim))).toBeCloseTo(1, 12);
  });
});

describe("fitting one shape", () => {
  it("finds a box, as a closed mesh of few faces", async () => {
    const { shape, history, status } = await fitShape(inBox, {
      ...quick,
      convexes: 1,
      planesPerConvex: 12,
      steps: 600,
    });
    expect(status).toBe("limit");
    expect(history.length).toBe(600);
    const points = random.rng(9).uniform([9000], { low: -0.5, high: 0.5, dtype: "float64" }).data() as Float64Array;
    const [found, truth] = [contains(shape, points), inBox(points)];
    const wrong = found.filter((v, i) => v !== truth[i]).length;
    expect(wrong / truth.reduce((a, b) => a + b, 0)).toBeLessThan(0.1);
    const mesh = extractMesh(shape, { resolution: 24 });
    expect(meshTopology(mesh).closed).toBe(true);
    expect(mesh.faces.length).toBeLessThanOrEqual(16);
  });

  it("finds a shape in 2D from samples", async () => {
    const points = random.rng(2).uniform([8000], { low: -0.5, high: 0.5, dtype: "float64" }).data();
    const values = Array.from({ length: 4000 }, (_, i) => Math.abs(points[2 * i]) + Math.abs(points[2 * i + 1]) < 0.35);
    const { shape } = await fitShape({ points, values }, { ...quick, dim: 2, convexes: 1, steps: 500 });
    const [polygon] = extractPolygons(shape);
    expect(Math.abs(polygonArea(polygon.vertices) - 2 * 0.35 ** 2)).toBeLessThan(0.02);
  });

  it("takes a closed mesh, and gives the shape and its mesh back in the mesh's units", async () => {
    // A part of 60 x 50 x 30 mm, somewhere.
    const corner = [100, -20, 7];
    const planes = [60, 50, 30].flatMap((side, axis) => {
      const unit = (s: number) => [0, 1, 2].map((i) => (i === axis ? s : 0));
      return [...unit(-1), corner[axis], ...unit(1), -corner[axis] - side];
    });
    const { vertices, faces } = intersectHalfspaces(Float64Array.from(planes), { bounds: 1000 });
    const options = { ...quick, convexes: 1, planesPerConvex: 12, steps: 500 };
    const { shape, history } = await fitShape({ vertices, faces }, options);
    const plain = await fitShape({ vertices: [...vertices], faces }, { ...options, steps: 2 });
    expect(plain.history[0]).toEqual(history[0]);
    const mesh = extractMesh(shape, { resolution: 24, union: true });
    expect(meshTopology(mesh)).toMatchObject({ closed: true, euler: 2 });
    [0, 1, 2].forEach((axis) => {
      const along = mesh.vertices.filter((_, i) => i % 3 === axis);
      expect(Math.abs(Math.min(...along) - corner[axis])).toBeLessThan(2);
      expect(Math.abs(Math.max(...along) - corner[axis] - [60, 50, 30][axis])).toBeLessThan(2);
    });
    expect(Math.abs(meshVolume(mesh) / 90_000 - 1)).toBeLessThan(0.1);
    expect([...contains(shape, Float64Array.of(130, 5, 22, 130, 5, 40))]).toEqual([1, 0]);
  });

  it("ends as aborted while it still asks about points, and goes on from there", async () => {
    const aborting = (controller: AbortController) => (asked: Float64Array) => {
      controller.abort();
      return inBox(asked);
    };
    const options = { ...quick, steps: 5, poolSize: 60_000 };
    const control = new AbortController();
    const part = await fitShape(aborting(control), { ...options, signal: control.signal });
    expect([part.status, part.steps, part.shape.convexes.length]).toEqual(["aborted", 0, 0]);
    const whole = await fitShape(inBox, options);
    expect((await fitShape(inBox, { ...options, resume: part.state })).shape).toEqual(whole.shape);
    const other = new AbortController();
    const more = { ...options, steps: 9, resume: whole.state, signal: other.signal };
    const again = await fitShape(aborting(other), more);
    expect([again.status, again.steps, again.history.length]).toEqual(["aborted", 5, 5]);
    expect(again.shape).toEqual(whole.shape);
  });

  it.each([100, 1e-3, 1e-100])("takes samples in units of their own: a cube of %f", async (unit) => {
    const range = { low: -unit / 2, high: unit / 2, dtype: "float64" } as const;
    const points = random.rng(3).uniform([9000], range).data() as Float64Array;
    const { shape } = await fitShape(
      { points, values: inBox(points.map((x) => x / unit)) },
      { ...quick, convexes: 1, planesPerConvex: 12, steps: 500 },
    );
    const mesh = extractMesh(shape, { resolution: 24 });
    const width = Math.max(...mesh.vertices.filter((_, i) => i % 3 === 0));
    expect(Math.abs(width / unit - 0.3)).toBeLessThan(0.04);
  });

  it("says what is wrong", async () => {
    const none = (p: Float64Array) => new Uint8Array(p.length / 3);
    await expect(fitShape(none, quick)).rejects.toThrow(/none of 20000 points is inside/);
    await expect(fitShape((p) => none(p).fill(1), quick)).rejects.toThrow(/all 20000 points are inside/);
    await expect(fitShape(() => new Uint8Array(3), quick)).rejects.toThrow(/3 values for 20000 points/);
    await expect(fitShape({ points: [0, 0, Number.NaN], values: [1] }, quick)).rejects.toThrow(/coordinate 2 is NaN/);
    await expect(fitShape({ points: [0, 0, 0] } as never, quick)).rejects.toThrow(/no points or no values/);
    await expect(fitShape(undefined as never, quick)).rejects.toThrow(/give an inside test, samples/);
    const open = { vertices: [0, 0, 0, 1, 0, 0, 0, 1, 0], faces: [[0, 1, 2]] };
    await expect(fitShape(open, quick)).rejects.toThrow(/the mesh is not closed/);
    await expect(fitShape({ ...open, faces: [[0, 1, 3]] }, quick)).rejects.toThrow(/face 0 names vertex 3 of 3/);
    await expect(fitShape(open, { ...quick, dim: 2 })).rejects.toThrow(/a mesh is in 3 dimensions/);
    await expect(fitShape({ points: [0, 0], values: [1] }, quick)).rejects.toThrow(/no points in 3 dimensions/);
    await expect(fitShape({ points: [0, 0, 0], values: [0.5] }, quick)).rejects.toThrow(/value 0 is 0.5/);
    for (const [options, message] of [
      [{ convexes: 0 }, /convexes is 0/],
      [{ planesPerConvex: 3 }, /planesPerConvex is 3; it must be an integer >= 4/],
      [{ slope: [10, 0] }, /slope\[1\] is 0/],
      [{ dim: 4 }, /dim is 4/],
      [{ learningRate: -1 }, /learningRate is -1/],
    ] as const) {
      await expect(fitShape(inBox, { ...quick, ...options } as never)).rejects.toThrow(message);
    }
  });
});
