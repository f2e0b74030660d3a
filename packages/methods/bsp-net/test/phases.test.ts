import { onnxRuntime } from "@offprint/onnx-runtime";
import { grad, jit, type Tensor, tensor, valueAndGrad } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { binaryConnections } from "../src/decoder.js";
import { planeFeatures, quadricFeatures } from "../src/features.js";
import { bspDecode, bspLoss, overlapLoss, type Phase } from "../src/index.js";
import { phaseRules, requireNextPhase } from "../src/phase.js";
import { fixture, read } from "./fixture.js";

const phases = [0, 1, 2, 3, 4] as const;
const given = fixture.phases;
const [points, planes, T, W, values] = ["points", "planes", "T", "W", "values"].map((name) => read(given[name]));

function total(q: Tensor, t: Tensor, w: Tensor, phase: Phase): Tensor {
  return bspLoss(bspDecode(points, q, t, w, phase), values, t, w, phase).total;
}

describe("the loss", () => {
  it("refuses values that are no occupancy, such as those of a picture", () => {
    const out = bspDecode(points, planes, T, W, 0);
    expect(() => bspLoss(out, values.mul(255), T, W, 0)).toThrow(/values hold 255; give 1 inside and 0 outside/);
  });
});

describe("each phase", () => {
  it.each(phases)("%i decodes and loses as PyTorch does, gradients included", (phase) => {
    const expected = given.cases[phase];
    const out = bspDecode(points, planes, T, W, phase);
    expectClose(out.convexes, expected.convexes, { ofLargest: 1e-10 });
    expectClose(out.occupancy, expected.occupancy, { ofLargest: 1e-10 });
    const loss = bspLoss(out, values, T, W, phase);
    expect(loss.reconstruction.item()).toBeCloseTo(expected.reconstruction, 12);
    expect(loss.total.item()).toBeCloseTo(expected.total, 12);
    const gradients = grad((p: Tensor[]) => total(p[0], p[1], p[2], phase))([planes, T, W]) as Tensor[];
    gradients.forEach((g, i) => {
      expectClose(g, expected.gradients[i], { ofLargest: 1e-10 });
    });
  });

  it.each(phases)("%i has the gradient of finite differences", (phase) => {
    const params = [planes, T, W];
    const gradients = grad((p: Tensor[]) => total(p[0], p[1], p[2], phase))(params) as Tensor[];
    const h = 1e-6;
    params.forEach((x, which) => {
      for (let i = 0; i < x.size; i += 3) {
        const at = (step: number) => {
          const data = Float64Array.from(x.data());
          data[i] += step;
          const moved = params.map((p, k) => (k === which ? tensor(data, { shape: x.shape }) : p));
          return total(moved[0], moved[1], moved[2], phase).item();
        };
        expect(gradients[which].data()[i]).toBeCloseTo((at(h) - at(-h)) / (2 * h), 6);
      }
    });
  });

  it.each(phases)("%i compiles to one graph with the same values", async (phase) => {
    const backend = await onnxRuntime({ device: "cpu", threads: 1 });
    const f = valueAndGrad((p: Tensor[]) => total(p[0], p[1], p[2], phase));
    const compiled = await jit(f as any, { backend })([planes, T, W]);
    const [value, gradients] = f([planes, T, W]) as unknown as [Tensor, Tensor[]];
    const [value2, gradients2] = compiled as [Tensor, Tensor[]];
    expect(value2.item()).toBeCloseTo(value.item(), 12);
    gradients.forEach((g, i) => {
      expectClose(gradients2[i], { shape: [...g.shape], data: [...g.data()] }, { ofLargest: 1e-10 });
    });
    await backend.release();
  });

  it("leaves T without a gradient in the hard phases, and W in all but the first", () => {
    for (const phase of phases) {
      const [, t, w] = grad((p: Tensor[]) => total(p[0], p[1], p[2], phase))([planes, T, W]) as Tensor[];
      expect(t.data().some((x) => x !== 0)).toBe(phase === 0 || phase > 2);
      expect(w.data().some((x) => x !== 0)).toBe(phase === 0);
    }
  });
});

describe("the tree", () => {
  it("is 0 inside a convex and counts how far a point is outside of its planes", () => {
    const box = tensor([
      [1, -1, 0, 0],
      [0, 0, 1, -1],
      [-0.2, -0.2, -0.1, -0.1],
    ]).reshape([1, 3, 4]); // prettier-ignore
    const all = tensor([1, 1, 1, 1]).reshape([4, 1]);
    const x = tensor([
      [0, 0],
      [0.5, 0],
      [0.5, 0.4],
    ]).reshape([1, 3, 2]); // prettier-ignore
    const s = bspDecode(x, box, all, null, 1).occupancy.toArray() as number[][][];
    expect(s[0].flat().map((v) => Math.round(v * 1e6) / 1e6)).toEqual([0, 0.3, 0.6]);
    expect(bspDecode(x, box, all, tensor([[1]]), 0).occupancy.data()[0]).toBe(1);
  });

  it("takes connections above 0.01, and only those", () => {
    expect([...binaryConnections(tensor([-1, 0, 0.01, 0.0101, 2])).data()]).toEqual([0, 0, 0, 1, 1]);
  });

  it("switches convexes off by a mask", () => {
    const without = bspDecode(points, planes, T, W, 1, { convexMask: [0, 1, 1, 1] });
    const rest = bspDecode(points, planes, T.slice([null, { start: 1 }]), W.slice([{ start: 1 }]), 1);
    expectClose(without.occupancy, { shape: [2, 9, 1], data: [...rest.occupancy.data()] }, { ofLargest: 1e-10 });
    const phase0 = bspDecode(points, planes, T, W, 0, { convexMask: [0, 1, 1, 1] });
    const rest0 = bspDecode(points, planes, T.slice([null, { start: 1 }]), W.slice([{ start: 1 }]), 0);
    expectClose(phase0.occupancy, { shape: [2, 9, 1], data: [...rest0.occupancy.data()] }, { ofLargest: 1e-10 });
  });

  it("has no overlap loss for disjoint convexes and for outside points", () => {
    const disjoint = tensor([
      [
        [0, 1],
        [1, 0],
        [0.005, 0.02],
      ],
    ]); // prettier-ignore
    expect(overlapLoss(disjoint, tensor([[[1], [1], [1]]])).item()).toBeCloseTo(0, 12);
    const both = tensor([
      [
        [0.004, 0.002],
        [0, 0],
      ],
    ]); // prettier-ignore
    expect(overlapLoss(both, tensor([[[0], [0]]])).item()).toBeCloseTo(0, 12);
    expect(overlapLoss(both, tensor([[[1], [1]]])).item()).toBeCloseTo(-0.006 / 4, 8);
  });

  it("moves with points: rigid motion of both changes nothing", () => {
    const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
    const turn = [
      [c, -s, 0],
      [s, c, 0],
      [0, 0, 1],
    ]; // prettier-ignore
    const shift = [0.1, -0.2, 0.3];
    const rotate = (p: number[]) => turn.map((row) => row.reduce((sum, r, k) => sum + r * p[k], 0));
    const moved = (points.toArray() as number[][][]).map((b) => b.map((p) => rotate(p).map((x, i) => x + shift[i])));
    const q = (planes.toArray() as number[][][]).map((b) => {
      const normals = b[0].map((_, j) => rotate([b[0][j], b[1][j], b[2][j]]));
      const offsets = normals.map((n, j) => b[3][j] - n.reduce((sum, x, k) => sum + x * shift[k], 0));
      return [0, 1, 2].map((k) => normals.map((n) => n[k])).concat([offsets]);
    });
    const wide = (x: number[][][]) => tensor(Float64Array.from(x.flat(2)), { shape: [2, x[0].length, x[0][0].length] });
    const out = bspDecode(wide(moved), wide(q), T, W, 3).convexes;
    expectClose(
      out,
      { shape: [2, 9, 4], data: [...bspDecode(points, planes, T, W, 3).convexes.data()] },
      { ofLargest: 1e-9 },
    );
  });
});

describe("features", () => {
  it("are homogeneous coordinates and monomials", () => {
    expect([...planeFeatures([[2, 3]]).data()]).toEqual([2, 3, 1]);
    expect([...quadricFeatures([[2, 3]]).data()]).toEqual([4, 9, 6, 2, 3, 1]);
    expect([...quadricFeatures([[2, 3, 5]]).data()]).toEqual([4, 9, 25, 6, 15, 10, 2, 3, 5, 1]);
  });

  it("make a sphere an exact primitive", () => {
    const sphere = tensor([1, 1, 1, 0, 0, 0, -0.2, 0, 0.4, 0.01 + 0.04 - 0.09]).reshape([1, 10, 1]);
    const x = [
      [
        [0.1, 0, -0.2],
        [0.1, 0.29, -0.2],
        [0.1, 0.31, -0.2],
        [-0.19, 0, -0.2],
        [-0.21, 0, -0.2],
      ],
    ]; // prettier-ignore
    const s = bspDecode(x, sphere, tensor([[1]]), null, 1, { primitive: "quadric" }).occupancy.data();
    expect([...s].map((v) => v > 0)).toEqual([false, false, true, false, true]);
  });
});

describe("bad input", () => {
  it("says which shape does not fit", () => {
    expect(() => bspDecode(points.reshape([18, 3]), planes, T, W, 0)).toThrow(/\[batch, n, d\]/);
    expect(() => bspDecode(points, planes.slice([null, { stop: 3 }]), T, W, 0)).toThrow(/need \[batch, 4, p\]/);
    expect(() => bspDecode(points, planes, T.slice([{ stop: 5 }]), W, 0)).toThrow(/give \[6, c\]/);
    expect(() => bspDecode(points, planes, T, W.reshape([4]), 0)).toThrow(/give \[4, 1\]/);
    expect(() => bspDecode(points, planes, T, null, 0)).toThrow(/phase 0 sums convexes with W/);
    expect(() => bspDecode(points, planes, T, W, 5 as Phase)).toThrow(/must be 0, 1, 2, 3 or 4/);
    expect(() => bspDecode(points, planes, T, W, 1, { convexMask: [1, 1] })).toThrow(/one per convex/);
    expect(() => planeFeatures([1, 2])).toThrow(/\[\.\.\., n, 2\]/);
    const out = bspDecode(points, planes, T, W, 1);
    expect(() => bspLoss(out, values.reshape([2, 9]), T, W, 1)).toThrow(/values have shape/);
    expect(() => bspLoss(out, values.mul(255), T, W, 1)).toThrow(/values hold 255; give 1 inside and 0 outside/);
    expect(() => bspLoss(bspDecode(points, planes, T, W, 0), values, T, null, 0)).toThrow(/give it as \[c, 1\]/);
  });

  it("allows no way back from a discrete phase", () => {
    for (const next of phases) expect(() => requireNextPhase("f", 0, next)).not.toThrow();
    expect(() => requireNextPhase("f", 3, 3)).not.toThrow();
    expect(() => requireNextPhase("f", 1, 0)).toThrow(/phase 0 cannot follow phase 1/);
    expect(() => requireNextPhase("f", 1, 2)).toThrow(/cannot follow/);
    expect(Object.keys(phaseRules)).toEqual(["0", "1", "2", "3", "4"]);
  });
});
