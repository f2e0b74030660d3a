import { expectClose, expectGradient, expectSecondGradient, expectVmap, f64, scattered } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  cumProd,
  diag,
  diagonal,
  dot,
  einsum,
  eye,
  jit,
  kron,
  linspace,
  matmul,
  matrixTrace,
  meshgrid,
  outer,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  tensordot,
  tril,
  triu,
  ValueError,
  zeros,
} from "../src/index.js";
import { fixture, listed } from "./array-ops-fixture.js";

interface EinsumCase {
  equation: string;
  shapes: number[][];
  result: { shape: number[]; values: number[] };
}
const einsumCases: EinsumCase[] = fixture.einsum;
const x342 = scattered([3, 4, 2]);

describe("einsum", () => {
  it.each(einsumCases.map((c) => [c.equation, c] as const))("%s: value, gradients, batches", (equation, c) => {
    const operands = c.shapes.map((shape, i) => scattered(shape, i + 1));
    const f = (...xs: Tensor[]) => einsum(equation, ...xs);
    expectClose(f(...operands), listed(c.result));
    expectGradient(f, operands);
    expectVmap(
      f,
      c.shapes.map((shape, i) => scattered([2, ...shape], i + 1)),
    );
  });
  it("has second derivatives", () => {
    expectSecondGradient((a, b) => einsum("iij,jk->ik", a, b), [scattered([2, 2, 3]), scattered([3, 2])]);
  });
  it("of many operands never makes an intermediate larger than needed", async () => {
    // Left to right, i,j,k would make a 60 x 60 x 60 tensor first.
    const v = [1, 2, 3].map((seed) => scattered([60], seed));
    const f = (...xs: Tensor[]) => einsum("i,j,k,i,j,k->", ...xs);
    const expected = v.reduce((product, t) => product * dot(t, t).item(), 1);
    expect(f(...v, ...v).item()).toBeCloseTo(expected, 10);
    expectClose(await jit(f)(...v, ...v), f64(expected));
  });
  it("of integers and mixed types", () => {
    expect(einsum("ij->ji", tensor([[1, 2]], { dtype: "int32" })).dtype).toBe("int32");
    expect(einsum("i,i", [1, 2], f64([3, 4])).dtype).toBe("float64");
    expect(einsum("i,i", tensor([1, 2], { dtype: "int32" }), tensor([3, 4], { dtype: "int32" })).item()).toBe(11);
  });
  it("of empty axes is zero", () => {
    expect(einsum("ij,jk->ik", zeros([2, 0]), zeros([0, 3])).toArray()).toEqual(zeros([2, 3]).toArray());
    expect(einsum("ij->i", zeros([2, 0])).toArray()).toEqual([0, 0]);
  });
  it("names what is wrong with an equation", () => {
    const a = zeros([2, 3]);
    expect(() => einsum("i1,jk", a, a)).toThrow(ValueError);
    expect(() => einsum("ij->i->j", a)).toThrow(/malformed/);
    expect(() => einsum("ij.->i", a)).toThrow(ValueError);
    expect(() => einsum("ij,jk", a)).toThrow(/names 2 operands, but 1/);
    expect(() => einsum("ij->ijk", a)).toThrow(/"k" in its result/);
    expect(() => einsum("ij->ii", a)).toThrow(/"i" twice in its result/);
    expect(() => einsum("ij,jk->ik", a, a)).toThrow(/"j" .* extent 3 .* 2/);
    expect(() => einsum("ii", a)).toThrow(ShapeError);
    expect(() => einsum("i", a)).toThrow(/name each of its 2 axes/);
    expect(() => einsum("ijk", a)).toThrow(ShapeError);
    expect(() => einsum("...i->i", a)).toThrow(/after "->"/);
    expect(() => einsum("...,...", zeros([2]), zeros([3]))).toThrow(/do not broadcast/);
  });
});

describe("products", () => {
  it("kron, tensordot and dot equal NumPy", () => {
    expectClose(kron(scattered([2, 3]), scattered([3, 1, 2], 2)), listed(fixture.parts.kron));
    const tensordotOf = (a: Tensor, b: Tensor) =>
      tensordot(a, b, [
        [1, 2],
        [1, 0],
      ]);
    expectClose(tensordotOf(x342, scattered([2, 4, 5], 2)), listed(fixture.parts.tensordot));
    expectClose(dot(scattered([2, 3, 4]), scattered([2, 4, 3], 2)), listed(fixture.parts.dot));
    expectGradient(tensordotOf, [x342, scattered([2, 4, 2], 2)]);
    expectGradient(kron, [scattered([2, 2]), scattered([2, 1])]);
  });
  it("dot and outer of vectors and scalars", () => {
    expect(dot([1, 2], [3, 4]).item()).toBe(11);
    expect(dot(2, [1, 2]).toArray()).toEqual([2, 4]);
    expect(outer([1, 2], [3, 4, 5]).toArray()).toEqual([
      [3, 4, 5],
      [6, 8, 10],
    ]);
    expect(tensordot([1, 2], [3, 4, 5], 0).toArray()).toEqual([
      [3, 4, 5],
      [6, 8, 10],
    ]);
    expect(tensordot(scattered([2, 3]), scattered([2, 3])).shape).toEqual([]);
  });
  it("reject axes that do not pair", () => {
    expect(() => tensordot(x342, x342, 1)).toThrow(ShapeError);
    expect(() => tensordot(x342, x342, [[0], [0, 1]])).toThrow(ShapeError);
    expect(() => tensordot(x342, x342, 4)).toThrow(ShapeError);
  });
});

describe("matmul", () => {
  const naive = (a: Tensor, b: Tensor) => {
    const [p, q] = [a.toArray() as number[][], b.toArray() as number[][]];
    return f64(Float64Array.from(p.flatMap((row) => q[0].map((_, j) => row.reduce((s, v, k) => s + v * q[k][j], 0)))), [
      a.shape[0],
      b.shape[1],
    ]);
  };
  it("takes transposed and sliced views of every size", () => {
    for (const [m, k, n] of [
      [1, 1, 1],
      [3, 4, 5],
      [1, 9, 7],
      [8, 5, 1],
      [33, 17, 40],
    ]) {
      const a = scattered([m, k], 1);
      const b = scattered([k, n], 2);
      const expected = naive(a, b);
      const at = scattered([m, k], 1).transpose().add(0).transpose();
      const bt = b.transpose().add(0).transpose();
      const wide = scattered([k, 2 * n + 1], 3).slice([null, { start: 1, step: 2 }]);
      for (const x of [a, at]) for (const y of [b, bt]) expectClose(matmul(x, y), expected, 1e-13);
      expectClose(matmul(a, wide), naive(a, wide), 1e-13);
      expectClose(matmul(a, b.slice([{ step: -1 }])), naive(a, b.slice([{ step: -1 }])), 1e-13);
    }
  });
  it("broadcasts batches, also of views", () => {
    const a = scattered([2, 1, 3, 4]);
    const b = scattered([5, 4, 2]);
    const y = matmul(a, b);
    expect(y.shape).toEqual([2, 5, 3, 2]);
    expectClose(y.slice([1, 3]), matmul(a.slice([1, 0]), b.slice([3])), 1e-13);
    const c = scattered([4, 2, 5]).transpose([2, 0, 1]);
    expectClose(matmul(a, c).slice([0, 4]), matmul(a.slice([0, 0]), c.slice([4])), 1e-13);
  });
  it("has gradients for every rank", () => {
    for (const [a, b] of [
      [[3], [3]],
      [[2, 3], [3]],
      [[3], [3, 2]],
      [
        [2, 3],
        [3, 4],
      ],
      [
        [2, 2, 3],
        [3, 2],
      ],
      [
        [2, 3],
        [2, 3, 2],
      ],
    ]) {
      expectGradient(matmul, [scattered(a), scattered(b, 2)]);
      expectVmap(matmul, [scattered([3, ...a]), scattered([3, ...b], 2)], 1e-12);
    }
    expectSecondGradient(matmul, [scattered([2, 3]), scattered([3, 2], 2)]);
  });
  it("of empty extents", () => {
    expect(matmul(zeros([2, 0]), zeros([0, 2])).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(matmul(zeros([0, 3]), zeros([3, 2])).shape).toEqual([0, 2]);
    expect(matmul(zeros([0, 2, 3]), zeros([3, 2])).shape).toEqual([0, 2, 2]);
  });
  it("rejects what does not multiply", () => {
    expect(() => matmul(zeros([2, 3]), zeros([2, 3]))).toThrow(ShapeError);
    expect(() => matmul(3, zeros([2, 3]))).toThrow(ShapeError);
    expect(() => matmul(zeros([2, 2, 3]), zeros([3, 3, 2]))).toThrow(ShapeError);
  });
});

describe("parts of matrices", () => {
  it("triangles and diagonals equal NumPy", () => {
    expectClose(tril(x342, -1), listed(fixture.parts.tril));
    expectClose(triu(x342, 1), listed(fixture.parts.triu));
    [-2, 0, 1].forEach((offset, i) => {
      expectClose(diagonal(x342, { offset, axes: [1, 0] }), listed(fixture.parts.diagonals[i]));
    });
    expect(
      tril([
        [true, true],
        [true, true],
      ]).toArray(),
    ).toEqual([
      [true, false],
      [true, true],
    ]);
  });
  it("diag is undone by diagonal", () => {
    for (const offset of [-2, -1, 0, 1, 3]) {
      const x = scattered([2, 3]);
      const d = diag(x, offset);
      expect(d.shape).toEqual([2, 3 + Math.abs(offset), 3 + Math.abs(offset)]);
      expectClose(diagonal(d, { offset }), x);
      expect(sum(d).item()).toBeCloseTo(sum(x).item(), 12);
    }
    expect(diag(zeros([0])).shape).toEqual([0, 0]);
    expectClose(diag(f64([1, 1, 1])), eye(3, 3, "float64"));
  });
  it("diagonals outside the matrix are empty", () => {
    expect(diagonal(x342, { offset: 2 }).shape).toEqual([3, 0]);
    expect(diagonal(x342, { offset: -7 }).shape).toEqual([3, 0]);
    expectGradient((x) => diagonal(x, { offset: 9 }), [scattered([2, 3])]);
  });
  it("have gradients and batches", () => {
    const square = scattered([3, 3]);
    for (const offset of [-1, 0, 1]) {
      expectGradient((x) => tril(x, offset), [square]);
      expectGradient((x) => triu(x, offset), [square]);
      expectGradient((x) => diagonal(x, { offset }), [scattered([3, 4])]);
      expectGradient((x) => diag(x, offset), [scattered([3])]);
      expectVmap((x) => diagonal(x, { offset, axes: [0, 1] }), [scattered([2, 3, 4])]);
      expectVmap((x) => diag(tril(x, offset), offset), [scattered([2, 3, 3])]);
    }
    expectGradient((x) => matrixTrace(x), [square]);
    expect(
      matrixTrace([
        [1, 2],
        [3, 4],
      ]).item(),
    ).toBe(5);
    expect(
      matrixTrace(
        [
          [1, 2],
          [3, 4],
        ],
        1,
      ).item(),
    ).toBe(2);
  });
  it("reject what is no matrix", () => {
    expect(() => tril([1, 2])).toThrow(ShapeError);
    expect(() => diagonal([1, 2])).toThrow(ShapeError);
    expect(() => diagonal(x342, { axes: [0, -3] })).toThrow(ShapeError);
    expect(() => diag(3)).toThrow(ShapeError);
    expect(() => triu(x342, 0.5)).toThrow(ValueError);
  });
  it("meshgrid lays out coordinates both ways", () => {
    const [x, y] = meshgrid([linspace(0, 1, 3), [5, 6]]);
    expect(x.toArray()).toEqual([
      [0, 0.5, 1],
      [0, 0.5, 1],
    ]);
    expect(y.toArray()).toEqual([
      [5, 5, 5],
      [6, 6, 6],
    ]);
    const [i, j, k] = meshgrid([[1, 2], [3, 4, 5], [6]], { indexing: "ij" });
    expect([i.shape, j.shape, k.shape]).toEqual([
      [2, 3, 1],
      [2, 3, 1],
      [2, 3, 1],
    ]);
    expect(i.slice([1, 2, 0]).item()).toBe(2);
    expect(meshgrid([[1, 2]])[0].toArray()).toEqual([1, 2]);
    expect(() => meshgrid([[[1]]])).toThrow(ShapeError);
  });
});

describe("cumProd", () => {
  it("equals NumPy along any axis", () => {
    expectClose(cumProd(scattered([3, 5])), listed(fixture.parts.cumprod), 1e-13);
    expect(
      cumProd(
        [
          [1, 2],
          [3, 4],
        ],
        0,
      ).toArray(),
    ).toEqual([
      [1, 2],
      [3, 8],
    ]);
    expect(cumProd(zeros([0])).shape).toEqual([0]);
  });
  it("has exact gradients at zeros", () => {
    expectGradient((x) => cumProd(x), [f64([0.5, 0, 2, 3, 0, 1.5])], 1e-8);
    expectVmap((x) => cumProd(x), [scattered([2, 5])]);
  });
});
