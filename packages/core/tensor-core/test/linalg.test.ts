import { expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  add,
  grad,
  hessian,
  jit,
  linalg,
  matmul,
  mul,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  vmap,
} from "../src/index.js";

const spd = f64([
  [4, 2, 1],
  [2, 5, 3],
  [1, 3, 6],
]);
const wide = f64([
  [1, 2, 0, -1],
  [0.5, -1, 3, 2],
]);

describe("values in memory take a shorter way to the same numbers", () => {
  const asymmetric = (dtype: "float32" | "float64"): Tensor =>
    tensor(
      Array.from({ length: 2 * 36 }, (_, i) => Math.sin(1 + 7 * i) * 10 ** (i % 5)),
      { shape: [2, 6, 6], dtype },
    );

  it("the symmetric part and the eigenvalues, bit for bit as where a gradient is recorded", () => {
    for (const dtype of ["float32", "float64"] as const) {
      const a = asymmetric(dtype);
      const recorded: Tensor[] = [];
      grad((x: Tensor) => {
        recorded.push(linalg.eigvalsh(x));
        return sum(recorded[0]);
      })(a);
      expect(linalg.eigvalsh(a).data()).toEqual(recorded[0].data());
      expect(linalg.eigvalsh(transpose(a, [0, 2, 1])).data()).toEqual(recorded[0].data());
      expect(linalg.eigvalsh(a).data()).toEqual(linalg.eigh(a).values.data());
    }
  });
});

describe("factorisations multiply back to the matrix", () => {
  it("cholesky", () => {
    const l = linalg.cholesky(spd);
    expectClose(matmul(l, transpose(l)), spd, 1e-12);
    expectClose(linalg.choleskySolve(l, f64([1, 2, 3])), linalg.solve(spd, f64([1, 2, 3])), 1e-12);
  });

  it("eigh, with ascending values", () => {
    const { values, vectors } = linalg.eigh(spd);
    expectClose(matmul(mul(vectors, values), transpose(vectors)), spd, 1e-12);
    const w = values.data();
    expect(w[0] < w[1] && w[1] < w[2]).toBe(true);
  });

  it("svd and qr of tall and wide matrices", () => {
    for (const a of [wide, transpose(wide), spd]) {
      const { u, s, vt } = linalg.svd(a);
      expectClose(matmul(mul(u, s), vt), a, 1e-12);
      const { q, r } = linalg.qr(a);
      expectClose(matmul(q, r), a, 1e-12);
      expectClose(matmul(transpose(q), q), matmul(transpose(u), u), 1e-12);
    }
  });

  it("lu", () => {
    const { lu, order } = linalg.luFactor(
      f64([
        [0, 2],
        [3, 4],
      ]),
    );
    expect(order.toArray()).toEqual([1, 0]);
    expect(lu.toArray()).toEqual([
      [3, 4],
      [0, 2],
    ]);
  });
});

describe("functions of matrices", () => {
  it("determinants, powers and inverses", () => {
    expect(linalg.det(spd).item()).toBeCloseTo(67, 10);
    expectClose(linalg.matrixPower(spd, 5), matmul(spd, matmul(matmul(spd, spd), matmul(spd, spd))), 1e-12);
    expectClose(linalg.matrixPower(spd, -1), linalg.inverse(spd), 1e-12);
    expect(
      linalg
        .slogdet(
          f64([
            [1, 2],
            [2, 4],
          ]),
        )
        .logAbsDet.item(),
    ).toBe(Number.NEGATIVE_INFINITY);
  });

  it("the exponential of a rotation generator is the rotation, however large the angle", () => {
    for (const angle of [0.1, 3, 40]) {
      const expected = f64([
        [Math.cos(angle), -Math.sin(angle)],
        [Math.sin(angle), Math.cos(angle)],
      ]);
      expectClose(
        linalg.expm(
          f64([
            [0, -angle],
            [angle, 0],
          ]),
        ),
        expected,
        1e-13,
      );
    }
  });

  it("the pseudo-inverse satisfies Penrose's conditions at deficient rank", () => {
    const a = matmul(f64([[1], [2], [-1]]), f64([[2, 0, 1, 1]]));
    const p = linalg.pinv(a);
    expectClose(matmul(matmul(a, p), a), a, 1e-12);
    expectClose(matmul(matmul(p, a), p), p, 1e-12);
    expect(linalg.matrixRank(a).item()).toBe(1);
  });

  it("least squares leave a residual orthogonal to the columns", () => {
    const a = transpose(wide);
    const b = f64([1, 2, 3, 4]);
    const x = linalg.lstsq(a, b);
    expectClose(matmul(wide, sub(matmul(a, x), b)), f64([0, 0]), 1e-12);
  });
});

describe("gradients", () => {
  it("are right at equal eigenvalues for what does not depend on the choice of eigenvectors", () => {
    const trace = (a: Tensor) => sum(linalg.eigvalsh(a));
    expectClose(
      grad(trace)(
        f64([
          [2, 0],
          [0, 2],
        ]),
      ),
      f64([
        [1, 0],
        [0, 1],
      ]),
      1e-12,
    );
    // The projector on the space of a repeated eigenvalue does not depend on the choice of its basis.
    const projector = (a: Tensor) => {
      const v = linalg.eigh(a).vectors.slice([null, { stop: 2 }]);
      return sum(
        mul(
          matmul(v, transpose(v)),
          f64([
            [0, 0, 1],
            [0, 0, 2],
            [1, 2, 0],
          ]),
        ),
      );
    };
    const a = f64([
      [2, 0, 0],
      [0, 2, 0],
      [0, 0, 5],
    ]);
    // P changes by (dA_ik) / (2 - 5) between the spaces; the weights of both triangles add up.
    expectClose(
      grad(projector)(a),
      f64([
        [0, 0, -1 / 3],
        [0, 0, -2 / 3],
        [-1 / 3, -2 / 3, 0],
      ]),
      1e-12,
    );
  });

  it("of the nuclear norm are finite at rank one", () => {
    const g = grad((a: Tensor) => linalg.norm(a, { ord: "nuc" }))(
      f64([
        [1, 0],
        [0, 0],
      ]),
    );
    expect(g.data().every(Number.isFinite)).toBe(true);
  });

  it("of log det are the inverse, and the Hessian is its negative Kronecker square", () => {
    const f = (a: Tensor) => linalg.slogdet(a).logAbsDet;
    const inverse = linalg.inverse(spd);
    expectClose(grad(f)(spd), transpose(inverse), 1e-12);
    const h = hessian(f)(spd).data();
    const p = inverse.data();
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++)
        for (let k = 0; k < 3; k++)
          for (let l = 0; l < 3; l++)
            expect(h[((i * 3 + j) * 3 + k) * 3 + l]).toBeCloseTo(-p[j * 3 + k] * p[l * 3 + i], 12);
  });
});

describe("batches", () => {
  it("one matrix solves for every right-hand side at once", () => {
    const bs = f64([
      [1, 2, 3],
      [0, 1, 0],
    ]);
    const mapped = vmap((b: Tensor) => linalg.solve(spd, b))(bs);
    expectClose(matmul(mapped, transpose(spd)), bs, 1e-12);
    expectClose(
      linalg.solve(add(f64([[[0]], [[1]]]), spd), bs.reshape([2, 3, 1])),
      vmap((s: Tensor, b: Tensor) => linalg.solve(add(spd, s), b))(f64([0, 1]), bs).reshape([2, 3, 1]),
      1e-12,
    );
  });

  it("a traced decomposition gives what the eager one gives", async () => {
    const f = (a: Tensor) => linalg.svd(a);
    const [traced, eager] = [await jit(f)(wide), f(wide)];
    expect(traced.u.toArray()).toEqual(eager.u.toArray());
    expect(traced.s.toArray()).toEqual(eager.s.toArray());
  });
});

describe("norms", () => {
  const a = f64([
    [1, -2],
    [3, 4],
  ]);
  it("of vectors", () => {
    const v = f64([3, -4]);
    expect(linalg.norm(v).item()).toBe(5);
    expect(linalg.norm(v, { ord: 1 }).item()).toBe(7);
    expect(linalg.norm(v, { ord: Number.POSITIVE_INFINITY }).item()).toBe(4);
    expect(linalg.norm(v, { ord: 3 }).item()).toBeCloseTo(91 ** (1 / 3), 12);
    expect(linalg.norm(a, { axis: 0 }).shape).toEqual([2]);
  });

  it("of matrices", () => {
    expect(linalg.norm(a, { ord: 1 }).item()).toBe(6);
    expect(linalg.norm(a, { ord: Number.POSITIVE_INFINITY }).item()).toBe(7);
    expect(linalg.norm(a, { ord: "fro" }).item()).toBeCloseTo(Math.sqrt(30), 12);
    const s = linalg.svdvals(a).data();
    expect(linalg.norm(a, { ord: 2 }).item()).toBeCloseTo(s[0], 12);
    expect(linalg.norm(a, { ord: "nuc" }).item()).toBeCloseTo(s[0] + s[1], 12);
    expect(linalg.cond(a).item()).toBeCloseTo(s[0] / s[1], 12);
    expect(
      linalg.norm(tensor([a.toArray() as any, a.toArray() as any]), { axis: [-2, -1], keepDims: true }).shape,
    ).toEqual([2, 1, 1]);
  });

  it("have a zero gradient at zero", () => {
    expect(grad((v: Tensor) => linalg.norm(v))(f64([0, 0])).toArray()).toEqual([0, 0]);
  });
});
