import { describe, expect, it } from "vitest";
import {
  abs,
  add,
  ceil,
  checkpoint,
  cond,
  cumSum,
  floor,
  full,
  grad,
  greater,
  jitSync,
  jvp,
  less,
  linalg,
  log,
  matmul,
  max,
  mean,
  mod,
  mul,
  oneHot,
  prod,
  random,
  round,
  scan,
  segmentMin,
  special,
  sqrt,
  square,
  std,
  stopGradient,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  trace,
  transpose,
  variance,
  vmap,
  whileLoop,
} from "../src/index.js";

const f64 = (values: number | number[]) => tensor(values, { dtype: "float64" });

describe("linalg.choleskySolve", () => {
  it("solves a batch of as many matrices as unknowns with one vector", () => {
    const rng = random.rng(3);
    for (const count of [2, 3]) {
      const g = rng.normal([count, 3, 3], { dtype: "float64" });
      const a = matmul(g, transpose(g, [0, 2, 1])).add(
        linalg.inverse(
          mul(
            tensor([
              [1, 0, 0],
              [0, 1, 0],
              [0, 0, 1],
            ]),
            1,
          ),
        ),
      );
      const b = rng.normal([3], { dtype: "float64" });
      const x = linalg.choleskySolve(linalg.cholesky(a), b);
      expect(x.shape).toEqual([count, 3]);
      expect(max(abs(sub(x, linalg.solve(a, b)))).item()).toBeLessThan(1e-10);
    }
  });
});

describe("checkpoint", () => {
  it("passes indices and masks through, as arguments and from what is closed over", () => {
    const table = f64([1, 2, 3]);
    const tokens = tensor(Int32Array.from([0, 2, 2]));
    const loss = (w: Tensor, c: Tensor) =>
      sum(
        checkpoint((t: Tensor, i: Tensor, { scale }: { scale: number }) =>
          cond(
            less(c, 1),
            () => mul(square(take(t, i)), scale),
            () => take(t, i),
          ),
        )(w, tokens, { scale: 2 }),
      );
    for (const c of [f64(0), f64(1)]) {
      const expected = c.item() === 0 ? [4, 0, 24] : [1, 0, 2];
      expect(grad(loss)(table, c).toArray()).toEqual(expected);
      expect(jitSync(grad(loss))(table, c).toArray()).toEqual(expected);
    }
    expect(vmap(grad(loss), { inAxes: [null, 0] })(table, f64([0, 1])).toArray()).toEqual([
      [4, 0, 24],
      [1, 0, 2],
    ]);
  });

  it("passes gradients to what its function closes over", () => {
    expect(grad((w: Tensor) => sum(checkpoint((v: Tensor) => mul(v, w))(tensor([1, 2]))))(tensor(2)).item()).toBe(3);
  });

  it("does so traced, twice, in batches and in loops", () => {
    const f = (w: Tensor) => sum(checkpoint((v: Tensor) => mul(mul(v, w), w))(f64([1, 2])));
    const w = f64(2);
    expect(grad(f)(w).item()).toBe(12);
    expect(grad(grad(f))(w).item()).toBe(6);
    expect(trace(grad(f), w).apply([w])[0].item()).toBe(12);
    expect([...vmap(grad(f))(f64([1, 2])).data()]).toEqual([6, 12]);
    const looped = (u: Tensor) =>
      scan((s: Tensor, x: Tensor) => [checkpoint((v: Tensor) => mul(v, mul(u, x)))(s), null], f64(1), f64([1, 2]))[0];
    expect(grad(looped)(w).item()).toBe(8);
    expect(trace(grad(looped), w).apply([w])[0].item()).toBe(8);
  });

  it("runs functions that read values or loop freely as they are", () => {
    const reads = (w: Tensor) => checkpoint((v: Tensor) => (v.item() > 0 ? mul(v, w) : v))(f64(3));
    expect(grad(reads)(f64(2)).item()).toBe(3);
    const loops = (w: Tensor) =>
      checkpoint((v: Tensor) =>
        whileLoop(
          (s: Tensor) => less(s, 10),
          (s: Tensor) => mul(s, w),
          v,
        ),
      )(f64(3));
    expect(grad(loops)(f64(2)).item()).toBe(12);
  });
});

describe("normalLogCdf in the lower tail", () => {
  const slope = grad((x: Tensor) => special.normalLogCdf(x));
  const curvature = grad(slope);

  it("has slopes to the precision of its dtype", () => {
    // mpmath: npdf(x) / ncdf(x), and -h (x + h).
    const exact: [x: number, h: number, second: number][] = [
      [-5, 5.186503967125842, -0.9673035653828878],
      [-6.5, 6.647301361190491, -0.9791565387467609],
      [-100, 100.00999800099926, -0.9999000599500517],
      [-1e3, 1000.000999998, -0.999999000006],
      [-1e4, 10000.0001, -0.9999999900000006],
    ];
    for (const [x, h, second] of exact) {
      expect(Math.abs(slope(f64(x)).item() / h - 1)).toBeLessThan(1e-13);
      expect(Math.abs(curvature(f64(x)).item() / second - 1)).toBeLessThan(1e-9);
      expect(Math.abs(slope(tensor(x)).item() / h - 1)).toBeLessThan(2e-6);
      expect(Math.abs(curvature(tensor(x)).item() / second - 1)).toBeLessThan(1e-4);
    }
  });

  it("has finite slopes however far out", () => {
    expect(slope(f64(-1e30)).item()).toBe(1e30);
    expect(curvature(f64(-1e30)).item()).toBe(-1);
    expect(slope(tensor(-1e25)).item()).toBeCloseTo(1e25, -20);
  });
});

describe("gradients where nothing varies or a branch is not taken", () => {
  it("std of constants has gradient 0", () => {
    expect([...grad((x: Tensor) => std(x))(tensor([2, 2])).data()]).toEqual([0, 0]);
  });

  const operands = (x: Tensor) =>
    cond(
      greater(x, 0),
      (v: Tensor) => sqrt(v),
      (v: Tensor) => mul(v, 0),
      x,
    );
  const closure = (x: Tensor) =>
    cond(
      greater(x, 0),
      () => log(x),
      () => mul(x, 0),
    );
  const xs = f64([-1, 4, 0]);

  it("vmap of grad, and of jvp, of cond sees the branch taken only", () => {
    for (const [f, slope] of [
      [operands, [0, 0.25, 0]],
      [closure, [0, 0.25, 0]],
    ] as const) {
      expect([...vmap(grad(f))(xs).data()]).toEqual(slope);
      expect([...vmap((x: Tensor) => jvp(f, [x], [f64(1)])[1])(xs).data()]).toEqual(slope);
      const second = [...vmap(grad(grad(f)))(xs).data()];
      expect(second.map(Number.isFinite)).toEqual([true, true, true]);
    }
  });

  it("a branch of a compiled batch may stop the gradient of what it closes over", () => {
    const f = (x: Tensor) =>
      cond(
        less(x, 1),
        () => mul(x, stopGradient(x)),
        () => x,
      );
    expect(jitSync(vmap(f))(f64([0.5, 3])).toArray()).toEqual([0.25, 3]);
    expect(jitSync(vmap(grad(f)))(f64([0.5, 3])).toArray()).toEqual([0.5, 1]);
  });

  it("so does grad of vmap, where the branches take operands", () => {
    expect([...grad((v: Tensor) => sum(vmap(operands)(v)))(xs).data()]).toEqual([0, 0.25, 0]);
    expect([...jvp((v: Tensor) => vmap(operands)(v), [xs], [f64([1, 1, 1])])[1].data()]).toEqual([0, 0.25, 0]);
  });

  it("compiled, what a branch computes of values from outside belongs to the branch, its gradient too", () => {
    const root = (x: Tensor) =>
      cond(
        greater(x, 0),
        () => sqrt(x),
        () => mul(x, 3),
      );
    const text = String(trace(root, f64(0)));
    expect(text.slice(0, text.indexOf("cond"))).not.toContain("sqrt");
    for (const f of [root, (x: Tensor) => add(root(mul(x, 2)), 0)]) {
      expect(jitSync(grad(f))(f64(0)).item()).toBe(grad(f)(f64(0)).item());
      expect(jitSync(grad(f))(f64(2)).item()).toBe(grad(f)(f64(2)).item());
    }
  });

  it("and where they close over what all examples share", () => {
    const loss = (w: Tensor, v: Tensor) =>
      sum(
        vmap((x: Tensor) =>
          cond(
            greater(x, 0),
            () => log(mul(x, w)),
            () => mul(sqrt(sub(w, x)), w),
          ),
        )(v),
      );
    // Where every example takes one branch, the other has infinite slopes at what they share.
    const slopes = (v: number[]) => [f64(0.5), f64(v)] as const;
    for (const [v, slope] of [
      [[-1, 4], Math.sqrt(1.5) + 0.5 / (2 * Math.sqrt(1.5)) + 2],
      [[1, 4], 4],
      [[0.5, 0.5], 4],
    ] as const) {
      const [w, x] = slopes([...v]);
      expect(grad(loss)(w, x).item()).toBeCloseTo(slope, 13);
      expect(trace(grad(loss), w, x).apply([w, x])[0].item()).toBeCloseTo(slope, 13);
      expect(Number.isFinite(grad(grad(loss))(w, x).item())).toBe(true);
    }
  });
});

describe("linalg.svd", () => {
  it("converges on small matrices, with both kernels' accuracy", () => {
    const close: number[][] = [
      [2.37645965660631, 0.8764596566063098],
      [0.8764596566063098, 2.37645965660631],
    ];
    expect([...linalg.svdvals(tensor(close, { dtype: "float64" })).data()]).toEqual([
      expect.closeTo(3.25291931321262, 14),
      expect.closeTo(1.5, 14),
    ]);
    const rng = random.rng(11);
    for (const n of [2, 3, 4, 7]) {
      const a = rng.normal([n === 2 ? 5000 : 500, n, n], { dtype: "float64" });
      const { u, s, vt } = linalg.svd(a);
      const again = matmul(mul(u, s.reshape([s.shape[0], 1, n])), vt);
      expect(max(abs(sub(again, a))).item()).toBeLessThan(1e-13);
      const gram = matmul(transpose(u, [0, 2, 1]), u);
      expect(
        max(
          abs(
            sub(
              gram,
              tensor(Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)))),
            ),
          ),
        ).item(),
      ).toBeLessThan(1e-13);
    }
  });
});

describe("compiled reductions of float32", () => {
  it("keep the digits that eager ones keep", () => {
    const tenths = full([1e6], 0.1);
    const rows = full([1e6, 2], 0.1);
    // As a thousand million beside which 0 and 1 are hardly seen.
    const offset = tensor(Float32Array.from({ length: 1e5 }, (_, i) => 1e6 + (i % 2)));
    const near = (value: number, exact: number) => expect(Math.abs(value / exact - 1)).toBeLessThan(1e-6);
    near(jitSync((x: Tensor) => mean(x))(tenths).item(), 0.1);
    for (const total of jitSync((x: Tensor) => sum(x, 0))(rows).data()) near(Number(total), 1e5);
    near(Number(jitSync((x: Tensor) => cumSum(x, 0))(tenths).data()[1e6 - 1]), 1e5);
    near(jitSync((x: Tensor) => variance(x))(offset).item(), 0.25);
  });
});

describe("rounding", () => {
  it("takes halves to the even neighbour wherever there are halves, and keeps the sign of zero", () => {
    const far = 2 ** 51;
    const x = [
      0.5,
      1.5,
      -0.5,
      -2.5,
      0.49999999999999994,
      -0,
      far + 0.5,
      far + 1.5,
      -far - 0.5,
      far - 0.25,
      2 ** 53 + 2,
    ];
    const y = [0, 2, -0, -2, 0, -0, far, far + 2, -far, far, 2 ** 53 + 2];
    expect([...round(tensor(x, { dtype: "float64" })).data()]).toEqual(y);
    for (const v of [Infinity, -Infinity, Number.NaN]) expect(round(tensor(v, { dtype: "float64" })).item()).toBe(v);
  });
});

describe("integers", () => {
  const whole = (values: number[]) => tensor(values, { dtype: "int32" });

  it("modulo 0 are 0, as in NumPy, eager and compiled", () => {
    const [a, b] = [whole([7, -7, 0, 7, -7]), whole([0, 0, 0, -4, 4])];
    for (const f of [mod, jitSync(mod)]) expect([...f(a, b).data()]).toEqual([0, 0, 0, -1, 1]);
    expect(jitSync(() => mod(whole([7]), whole([0])))().item()).toBe(0);
  });

  it("stay integers where they are rounded", () => {
    for (const f of [floor, ceil, round]) {
      expect(f(whole([16777217])).dtype).toBe("int32");
      expect(f(whole([16777217])).item()).toBe(16777217);
    }
  });

  it("have least values by segment without losing a bit", () => {
    const least = segmentMin(whole([16777217, -2147483648, 5]), [0, 1, 1], 3);
    expect(least.dtype).toBe("int32");
    expect([...least.data()]).toEqual([16777217, -2147483648, 2147483647]);
    expect([...segmentMin(tensor([2, 1, 3]), [0, 0, 1], 3).data()]).toEqual([1, 3, Number.POSITIVE_INFINITY]);
  });

  it("multiply and add modulo 2^32", () => {
    expect(prod(whole([65537, 65537, 65537])).item()).toBe(Math.imul(Math.imul(65537, 65537), 65537));
    expect(prod(whole([2147483647, 2147483647, 3, 5, 7])).item()).toBe(
      Math.imul(Math.imul(Math.imul(2147483647, 2147483647), 3), 35),
    );
    expect(sum(whole([2147483647, 1])).item()).toBe(-2147483648);
    expect(jitSync((x: Tensor) => sum(x))(whole([2147483647, 1])).item()).toBe(-2147483648);
    expect(jitSync((x: Tensor) => prod(x))(whole([65537, 65537, 65537])).item()).toBe(196609);
  });

  it("outside a new axis are an error, compiled too", () => {
    for (const f of [oneHot, jitSync((x: Tensor) => oneHot(x, 3))] as ((x: Tensor, n: number) => Tensor)[]) {
      expect(() => f(whole([5]), 3)).toThrow(/index 5 .* out of range/);
    }
  });
});
