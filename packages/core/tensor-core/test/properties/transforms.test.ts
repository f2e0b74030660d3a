import { f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  add,
  argMax,
  cast,
  cos,
  div,
  exp,
  eye,
  grad,
  hessian,
  hvp,
  jacobian,
  jit,
  jvp,
  linalg,
  matmul,
  mean,
  mul,
  pow,
  reshape,
  sin,
  slice,
  special,
  square,
  stack,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  trace,
  transpose,
  valueAndGrad,
  vjp,
  vmap,
  where,
} from "../../src/index.js";
import { expectClose } from "./comparison.js";
import { derivative } from "./finite-differences.js";

const close = (actual: Tensor, expected: Tensor, tolerance = 1e-12) => expectClose(actual, expected, tolerance, "");
const loop = (f: (...x: Tensor[]) => Tensor, ...batches: Tensor[]) =>
  stack(Array.from({ length: batches[0].shape[0] }, (_, i) => f(...batches.map((b) => slice(b, [i])))));

const xs = f64([
  [0.3, -1.2, 0.7],
  [1.1, 0.4, -0.5],
]);

describe("third and higher order", () => {
  it("derivatives of e^(2x) are powers of two", () => {
    let f: (x: Tensor) => Tensor = (x) => exp(mul(x, 2));
    for (let order = 1; order <= 6; order++) {
      f = grad(f) as (x: Tensor) => Tensor;
      close(f(f64(0.3)), f64(2 ** order * Math.exp(0.6)), 1e-13);
    }
  });

  it("the third derivative of every smooth function is that of the second by finite differences", () => {
    const functions: [string, (x: Tensor) => Tensor][] = [
      ["lgamma", special.lgamma],
      ["erf", special.erf],
      ["erfinv", (x) => special.erfinv(mul(x, 0.5))],
      ["softplus", special.softplus],
      ["normalLogCdf", special.normalLogCdf],
      ["gelu", special.gelu],
      ["logit", (x) => special.logit(mul(x, 0.5))],
      ["log1mExp", (x) => special.log1mExp(sub(0, x))],
      ["xlogy", (x) => special.xlogy(x, x)],
      ["betainc", (x) => special.betainc(2.5, 1.5, mul(x, 0.5))],
      ["gammainc", (x) => special.gammainc(2.5, x)],
      ["logBeta", (x) => special.logBeta(x, add(x, 1))],
      ["tanh of a product", (x) => tanh(mul(x, sin(x)))],
      ["power", (x) => pow(x, x)],
      [
        "determinant",
        (x) =>
          linalg.det(
            add(
              mul(x, eye(3, 3, "float64")),
              f64([
                [0, 1, 2],
                [3, 0, 1],
                [1, 1, 0],
              ]),
            ),
          ),
      ],
      [
        "inverse",
        (x) =>
          sum(
            linalg.inverse(
              add(
                mul(
                  x,
                  f64([
                    [1, 2],
                    [0, 3],
                  ]),
                ),
                eye(2, 2, "float64"),
              ),
            ),
          ),
      ],
      [
        "cholesky",
        (x) =>
          sum(
            linalg.cholesky(
              add(
                mul(
                  x,
                  f64([
                    [1, 0.2],
                    [0.2, 2],
                  ]),
                ),
                eye(2, 2, "float64"),
              ),
            ),
          ),
      ],
      [
        "eigenvectors",
        (x) =>
          sum(
            linalg.eigh(
              add(
                mul(
                  x,
                  f64([
                    [0, 1],
                    [1, 0],
                  ]),
                ),
                f64([
                  [1, 0],
                  [0, 2],
                ]),
              ),
            ).vectors,
          ),
      ],
      [
        "svd",
        (x) =>
          sum(
            linalg.svd(
              add(
                mul(
                  x,
                  f64([
                    [0, 1, 1],
                    [1, 0, 2],
                  ]),
                ),
                f64([
                  [1, 0, 0],
                  [0, 3, 0],
                ]),
              ),
            ).vt,
          ),
      ],
      [
        "qr",
        (x) =>
          sum(
            linalg.qr(
              add(
                mul(
                  x,
                  f64([
                    [0, 1],
                    [1, 0],
                    [2, 1],
                  ]),
                ),
                f64([
                  [1, 0],
                  [0, 3],
                  [0, 0],
                ]),
              ),
            ).q,
          ),
      ],
      [
        "pinv",
        (x) =>
          sum(
            linalg.pinv(
              add(
                mul(
                  x,
                  f64([
                    [0, 1, 1],
                    [1, 0, 2],
                  ]),
                ),
                f64([
                  [1, 0, 0],
                  [0, 3, 0],
                ]),
              ),
            ),
          ),
      ],
      [
        "expm",
        (x) =>
          sum(
            linalg.expm(
              mul(
                x,
                f64([
                  [0, 1],
                  [-2, 0.3],
                ]),
              ),
            ),
          ),
      ],
    ];
    for (const [name, f] of functions) {
      const second = grad(grad((x: Tensor) => sum(f(x)))) as (x: Tensor) => Tensor;
      const third = grad(second)(f64(0.7)).item();
      const expected = derivative((h) => second(f64(0.7 + h)).item(), 1e-3);
      expect(Math.abs(third - expected) / Math.max(1, Math.abs(expected)), name).toBeLessThan(1e-8);
    }
  });

  it("mixed third derivatives do not depend on the order of differentiation", () => {
    const f = (x: Tensor, y: Tensor, z: Tensor) => mul(sin(mul(x, y)), exp(mul(z, x)));
    const by = (g: (...a: Tensor[]) => Tensor, argument: number) => grad(g, { argument }) as (...a: Tensor[]) => Tensor;
    const at = [f64(0.3), f64(0.8), f64(-0.4)];
    const reference = by(by(by(f, 0), 1), 2)(...at).item();
    for (const order of [
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]) {
      expect(
        order
          .reduce(
            by,
            f,
          )(...at)
          .item(),
      ).toBeCloseTo(reference, 13);
    }
  });
});

describe("vmap and gradients mix", () => {
  const energy = (x: Tensor) => sum(mul(sin(x), mean(square(x))));

  it("vmap of grad, grad of vmap, vmap of grad of vmap", () => {
    close(vmap(grad(energy))(xs), loop(grad(energy) as any, xs));
    close(grad((x: Tensor) => sum(vmap(energy)(x)))(xs), loop(grad(energy) as any, xs));
    const rows = (x: Tensor) => sum(square(vmap(energy)(x)));
    const batch = stack([xs, mul(xs, 0.5), sin(xs)]);
    close(vmap(grad(rows))(batch), loop(grad(rows) as any, batch));
  });

  it("a hessian for each example, also through one more vmap", () => {
    close(vmap(hessian(energy))(xs), loop(hessian(energy), xs));
    const pairs = stack([xs, cos(xs)]);
    close(
      vmap(vmap(hessian(energy)))(pairs),
      loop((x) => loop(hessian(energy), x), pairs),
    );
  });

  it("the gradient reaches what the mapped function closes over", () => {
    const w = f64([0.2, -0.3, 0.9]);
    const loss = (v: Tensor) => sum(vmap((x: Tensor) => tanh(sum(mul(x, v))))(xs));
    const expected = sum(mul(sub(1, square(tanh(matmul(xs, w)))).expandDims(1), xs), { axis: 0 });
    close(grad(loss)(w), expected);
    // The inner gradient is taken with respect to what the outer one is not.
    const mixed = (v: Tensor) => sum(square(vmap(grad((x: Tensor) => tanh(sum(mul(x, v)))))(xs)));
    const flat = (v: Tensor) => sum(square(mul(sub(1, square(tanh(matmul(xs, v)))).expandDims(1), v)));
    close(grad(mixed)(w), grad(flat)(w));
    close(hessian(mixed)(w), hessian(flat)(w), 1e-11);
  });

  it("per-sample gradients of parameters that are not batched", () => {
    const loss = (p: { w: Tensor; b: Tensor }, x: Tensor) => square(add(sum(mul(p.w, x)), p.b));
    const p = { w: f64([1, 2, 3]), b: f64(0.5) };
    const each = vmap(grad(loss), { inAxes: [null, 0] })(p, xs) as typeof p;
    close(
      each.w,
      loop((x) => grad(loss)(p, x).w, xs),
    );
    close(
      each.b,
      loop((x) => grad(loss)(p, x).b, xs),
    );
  });

  it("axes other than the first, in and out", () => {
    const f = (a: Tensor, b: Tensor) => add(mul(a, 2), sum(b));
    const y = vmap(f, { inAxes: [1, -1], outAxis: -1 })(xs, xs);
    close(y, transpose(loop(f, transpose(xs), transpose(xs))));
  });

  it("a result that does not depend on the example is repeated", () => {
    const y = vmap((x: Tensor) => ({ same: f64([1, 2]), own: sum(x), number: 3 as unknown as Tensor }))(xs);
    expect(y.same.toArray()).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(y.number.toArray()).toEqual([3, 3]);
  });

  it("a gradient taken inside a mapped function of another level is not confused with it", () => {
    // d/dx of x * d/dy (x y) summed over a batch of y
    const f = (x: Tensor) =>
      sum(vmap((y: Tensor) => mul(x, grad((z: Tensor) => mul(mul(x, z), z))(y)))(f64([1, 2, 3])));
    close(grad(f)(f64(0.5)), f64(2 * 2 * 0.5 * 6));
  });
});

describe("jacobians and Hessians equal the analytic ones", () => {
  it("of a linear map, a quadratic form and a softmax", () => {
    const a = f64([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const x = f64([0.1, 0.2, 0.3]);
    close(jacobian((v: Tensor) => matmul(a, v))(x), a);
    const q = matmul(transpose(a), a);
    close(hessian((v: Tensor) => mul(sum(square(matmul(a, v))), 0.5))(x), q);
    const p = div(exp(x), sum(exp(x)));
    const analytic = sub(mul(p, eye(3, 3, "float64")), mul(p.expandDims(1), p));
    close(jacobian((v: Tensor) => div(exp(v), sum(exp(v))))(x), analytic);
    close(hessian((v: Tensor) => v.logSumExp())(x), analytic);
  });

  it("over trees, with shapes of result and leaf", () => {
    const j = jacobian((p: { a: Tensor; b: Tensor[] }) => mul(p.a, p.b[0]))({ a: f64([1, 2]), b: [f64(3)] });
    expect(j.a.toArray()).toEqual([
      [3, 0],
      [0, 3],
    ]);
    expect(j.b[0].toArray()).toEqual([1, 2]);
  });

  it("of functions that are constant or of empty arguments", () => {
    expect(jacobian((_: Tensor) => f64([1, 2]))(f64([1, 2, 3])).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(jacobian((v: Tensor) => v)(f64([])).shape).toEqual([0, 0]);
    expect(grad((_: Tensor) => f64(1))(f64([1, 2])).toArray()).toEqual([0, 0]);
    expect(grad((v: Tensor) => sum(v))(f64([])).shape).toEqual([0]);
  });

  it("traced, mapped and differentiated once more", async () => {
    const f = (v: Tensor) => sum(mul(sin(v), square(v)));
    const x = slice(xs, [0]);
    close(await jit(hessian(f))(x), hessian(f)(x));
    close(await jit(vmap(hessian(f)))(xs), vmap(hessian(f))(xs));
    const third = jacobian(hessian(f))(x);
    expect(third.shape).toEqual([3, 3, 3]);
    x.data().forEach((v, i) => {
      const expected = derivative((h) => (hessian(f)(f64([v + h])) as Tensor).item(), 1e-3);
      expect(third.data()[i * 13]).toBeCloseTo(expected, 8);
    });
  });
});

describe("forward derivatives", () => {
  const f = (x: Tensor, y: Tensor) => mul(sin(x), exp(mul(y, x)));
  const [x, y, dx, dy] = [f64(0.4), f64(-0.7), f64(0.3), f64(1.1)];
  const along = (h: number) => f(f64(0.4 + 0.3 * h), f64(-0.7 + 1.1 * h)).item();

  it("equal finite differences, also of second order and traced", async () => {
    const [value, slope] = jvp(f, [x, y], [dx, dy]);
    expect(value.item()).toBe(f(x, y).item());
    expect(slope.item()).toBeCloseTo(derivative(along, 1e-3), 11);
    const [, second] = jvp((a: Tensor, b: Tensor) => jvp(f, [a, b], [dx, dy])[1], [x, y], [dx, dy]);
    const slopeAt = (h: number) => jvp(f, [f64(0.4 + 0.3 * h), f64(-0.7 + 1.1 * h)], [dx, dy])[1].item();
    expect(second.item()).toBeCloseTo(derivative(slopeAt, 1e-3), 10);
    const traced = await jit((a: Tensor, b: Tensor) => jvp(f, [a, b], [dx, dy]))(x, y);
    expect(traced[1].item()).toBeCloseTo(slope.item(), 14);
  });

  it("mix with gradients and batches", () => {
    const g = (a: Tensor) => jvp((b: Tensor) => f(b, y), [a], [dx])[1];
    expect(grad(g)(x).item()).toBeCloseTo(
      derivative((h) => g(f64(0.4 + h)).item(), 1e-3),
      10,
    );
    const h = (a: Tensor) =>
      jvp(
        grad((b: Tensor) => f(b, y)),
        [a],
        [dx],
      )[1];
    expect(h(x).item()).toBeCloseTo(0.3 * (hessian((b: Tensor) => f(b, y))(x) as Tensor).item(), 12);
    const points = f64([0.1, 0.2, 0.3]);
    close(vmap(g)(points), loop(g, points));
  });

  it("are zero along what has no influence, and pass by integers", () => {
    const [value, slope] = jvp(
      (v: Tensor) => ({ i: argMax(v), c: f64(2), v: square(v) }),
      [f64([1, 3])],
      [f64([1, 1])],
    );
    expect(value.i.item()).toBe(1);
    expect(slope.c.item()).toBe(0);
    expect(slope.v.toArray()).toEqual([2, 6]);
  });

  it("hvp equals the Hessian times the vector, over trees", () => {
    const loss = (p: { a: Tensor; b: Tensor }) => sum(mul(sin(p.a), mul(p.b, p.b)));
    const p = { a: f64([0.2, 0.5]), b: f64([1.5, -0.3]) };
    const v = { a: f64([1, -2]), b: f64([0.5, 0.25]) };
    const product = hvp(loss)(p, v);
    const [a, b] = [p.a.data(), p.b.data()];
    for (let i = 0; i < 2; i++) {
      const [va, vb] = [v.a.data()[i], v.b.data()[i]];
      expect(product.a.data()[i]).toBeCloseTo(-Math.sin(a[i]) * b[i] ** 2 * va + 2 * Math.cos(a[i]) * b[i] * vb, 13);
      expect(product.b.data()[i]).toBeCloseTo(2 * Math.cos(a[i]) * b[i] * va + 2 * Math.sin(a[i]) * vb, 13);
    }
  });
});

describe("pullbacks", () => {
  it("can be called again, mapped, traced and differentiated with respect to the cotangent", async () => {
    const [y, pullback] = vjp((x: Tensor) => mul(sin(x), x), slice(xs, [0]));
    const slope = add(mul(cos(slice(xs, [0])), slice(xs, [0])), sin(slice(xs, [0])));
    close(pullback(f64([1, 1, 1]))[0], slope);
    close(pullback(f64([2, 0, 1]))[0], mul(slope, f64([2, 0, 1])));
    expect(y.shape).toEqual([3]);
    close(vmap((g: Tensor) => pullback(g)[0])(eye(3, 3, "float64")), mul(slope, eye(3, 3, "float64")));
    close(grad((g: Tensor) => sum(square(pullback(g)[0])))(f64([1, 2, 3])), mul(mul(square(slope), f64([1, 2, 3])), 2));
    close(await jit((g: Tensor) => pullback(g)[0])(f64([1, 1, 1])), slope);
  });

  it("taken inside a gradient keep their dependence on the outer variable", () => {
    const f = (x: Tensor) => {
      const [, pullback] = vjp((z: Tensor) => mul(mul(z, z), x), mul(x, 2));
      return pullback(square(x))[0]; // 2 z x g = 4 x^4
    };
    close(grad(f)(f64(1.5)), f64(16 * 1.5 ** 3));
    close(grad(grad(f))(f64(1.5)), f64(48 * 1.5 ** 2));
  });

  it("of several results with one unused", () => {
    const [, pullback] = vjp((x: Tensor) => [sin(x), cos(x)], f64(0.3));
    close(pullback([f64(1), f64(0)])[0], f64(Math.cos(0.3)));
  });
});

describe("values that pass between transformations", () => {
  it("stopGradient stops each order and each batch", async () => {
    const f = (x: Tensor) => sum(mul(stopGradient(square(x)), x));
    const x = slice(xs, [1]);
    close(grad(f)(x), square(x));
    close(
      hessian(f)(x),
      f64([
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ]),
    );
    close(vmap(grad(f))(xs), square(xs));
    close(await jit(vmap(grad(f)))(xs), square(xs));
  });

  it("auxiliary results are freed of the gradient that made them", () => {
    const [g, aux] = grad((x: Tensor) => [sum(square(x)), { y: sin(x) }] as [Tensor, { y: Tensor }], { hasAux: true })(
      f64([1, 2]),
    ) as [Tensor, { y: Tensor }];
    expect(g.toArray()).toEqual([2, 4]);
    expect(aux.y.record).toBe(null);
    // Inside an outer gradient they keep their dependence on its variable.
    const outer = (x: Tensor) => {
      const [, extra] = grad((z: Tensor) => [mul(z, z), mul(z, x)] as [Tensor, Tensor], { hasAux: true })(x) as [
        Tensor,
        Tensor,
      ];
      return extra;
    };
    close(grad(outer)(f64(3)), f64(6));
  });

  it("a value kept from an ended gradient is a constant in the next", () => {
    let kept: Tensor | undefined;
    grad((x: Tensor) => {
      kept = square(x);
      return kept;
    })(f64(3));
    close(grad((x: Tensor) => mul(x, kept as Tensor))(f64(2)), f64(9));
    close(grad((x: Tensor) => mul(square(x), kept as Tensor))(f64(2)), f64(36));
  });

  it("several arguments, positions and values", () => {
    const f = (a: Tensor, n: number, b: Tensor) => sum(mul(mul(a, n), b));
    const [value, [ga, gb]] = valueAndGrad(f, { argument: [0, 2] })(f64([1, 2]), 3, f64([4, 5]));
    expect(value.item()).toBe(42);
    expect([ga.toArray(), gb.toArray()]).toEqual([
      [12, 15],
      [3, 6],
    ]);
  });

  it("mixed element types: gradients have the type of their argument", () => {
    const w = tensor([1, 2]);
    const loss = (v: Tensor, x: Tensor) => sum(square(mul(v, x)));
    const g = grad(loss)(w, f64([0.1, 0.2]));
    expect(g.dtype).toBe("float32");
    expect(grad((v: Tensor) => sum(mul(cast(v, "float64"), 0.1)))(w).dtype).toBe("float32");
    expect(hvp((v: Tensor) => loss(v, f64([1, 2])))(w, w).dtype).toBe("float32");
    expect(jvp((v: Tensor) => loss(v, f64([1, 2])), [w], [w])[1].dtype).toBe("float64");
  });

  it("numbers passed to a compiled function do not lose digits", async () => {
    const f = (x: Tensor, rate: number) => mul(x, rate);
    expect((await jit(f)(f64(1), 0.1)).item()).toBe(0.1);
    expect((await jit(f)(tensor(1), 0.1)).dtype).toBe("float32");
  });

  it("an exception inside a transformation leaves no trace of it", () => {
    const fail = (_: Tensor): Tensor => {
      throw new Error("stop");
    };
    expect(() => grad(fail)(f64(1))).toThrow("stop");
    expect(() => vmap(fail)(xs)).toThrow("stop");
    expect(() => trace(fail, xs)).toThrow("stop");
    expect(square(f64(2)).record).toBe(null);
    close(grad((x: Tensor) => square(x))(f64(2)), f64(4));
  });

  it("long chains neither overflow the stack nor lose precision", async () => {
    const f = (x: Tensor) => {
      let y = x;
      for (let i = 0; i < 5000; i++) y = add(y, 1e-3);
      return mul(y, y);
    };
    expect(grad(f)(f64(1)).item()).toBeCloseTo(2 * f(f64(1)).sqrt().item(), 9);
    expect((await jit(grad(f))(f64(1))).item()).toBe(grad(f)(f64(1)).item());
  });

  it("branches by where have the gradient of the branch taken, in each example", () => {
    const f = (x: Tensor) => where(x.greater(0), square(x), mul(x, 3));
    close(vmap(grad(f))(f64([2, -1])), f64([4, 3]));
  });

  it("trees keep their structure, with empty parts", () => {
    const p = { b: [f64(1), null, { c: f64([2, 3]) }], a: undefined, z: [] };
    const g = grad((q: any) => add(square(q.b[0]), sum(q.b[2].c)))(p);
    expect(g.b[1]).toBe(null);
    expect(g.z).toEqual([]);
    expect(g.b[0].item()).toBe(2);
    expect(g.b[2].c.toArray()).toEqual([1, 1]);
    expect(reshape(vmap((q: any) => q.b[0])({ b: [f64([1, 2])] }), [2]).toArray()).toEqual([1, 2]);
  });
});
