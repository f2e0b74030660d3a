import { f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  add,
  checkpoint,
  concatenate,
  cos,
  cumSum,
  customVjp,
  div,
  exp,
  eye,
  grad,
  hessian,
  hvp,
  jacobian,
  jit,
  jvp,
  logSumExp,
  matmul,
  max,
  mean,
  mul,
  pad,
  prod,
  relu,
  reshape,
  sigmoid,
  sign,
  sin,
  slice,
  softmax,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tensor,
  trace,
  transpose,
  valueAndGrad,
  vmap,
} from "../src/index.js";

describe("gradients", () => {
  it("follow the chain rule to third order", () => {
    const f = (x: Tensor) => mul(sin(x), x);
    const x = f64(0.7);
    const g = grad(grad(grad(f)));
    // (x sin x)''' = -3 sin x - x cos x
    expect(g(x).item()).toBeCloseTo(-3 * Math.sin(0.7) - 0.7 * Math.cos(0.7), 12);
  });

  it("of nested functions do not confuse their variables", () => {
    // d/dx [ x * d/dy (x + y) ] = 1
    const g = grad((x: Tensor) => mul(x, grad((y: Tensor) => add(x, y))(f64(1))));
    expect(g(f64(2)).item()).toBe(1);
  });

  it("reach every leaf of a tree", () => {
    const w = { a: f64([1, 2]), b: [f64(3)] };
    const [value, g] = valueAndGrad((p: typeof w) => sum(mul(square(p.a), p.b[0])))(w);
    expect(value.item()).toBe(15);
    expect(g.a.toArray()).toEqual([6, 12]);
    expect(g.b[0].item()).toBe(5);
  });

  it("of a product are exact at zeros", () => {
    expect(grad((x: Tensor) => prod(x))(f64([2, 0, 5])).toArray()).toEqual([0, 10, 0]);
    expect(grad((x: Tensor) => prod(x))(f64([2, 3, 5])).toArray()).toEqual([15, 10, 6]);
  });
});

describe("vmap", () => {
  it("of a gradient gives a gradient for each example", () => {
    const xs = f64([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const w = f64([0.5, -1]);
    const perExample = vmap(
      grad((v: Tensor, x: Tensor) => square(sum(mul(v, x)))),
      { inAxes: [null, 0] },
    )(w, xs);
    const rows = [0, 1, 2].map((i) => grad((v: Tensor) => square(sum(mul(v, slice(xs, [i])))))(w).toArray());
    expect(perExample.toArray()).toEqual(rows);
  });

  it("nests and differentiates", () => {
    const a = f64([
      [1, 2],
      [3, 4],
    ]);
    const outer = (x: Tensor, y: Tensor) => vmap((p: Tensor) => vmap((q: Tensor) => mul(p, q))(y))(x);
    expect(outer(f64([1, 2]), f64([3, 4])).toArray()).toEqual([
      [3, 4],
      [6, 8],
    ]);
    const g = grad((m: Tensor) => sum(vmap((row: Tensor) => prod(row))(m)))(a);
    expect(g.toArray()).toEqual([
      [2, 1],
      [4, 3],
    ]);
  });
});

describe("second derivatives", () => {
  const f = (x: Tensor) => sum(mul(exp(x), sin(cumSum(x))));
  const x = f64([0.1, -0.4, 0.7]);
  it("hvp is the Hessian times the vector", () => {
    const h = hessian(f)(x);
    const v = f64([1, -2, 0.5]);
    const expected = matmul(h, v).toArray() as number[];
    (hvp(f)(x, v).toArray() as number[]).forEach((e, i) => expect(e).toBeCloseTo(expected[i], 12));
  });
  it("jvp is the Jacobian times the tangent", () => {
    const fn = (y: Tensor) => mul(cos(y), sum(y));
    const j = jacobian(fn)(x);
    const v = f64([1, 2, 3]);
    const [, t] = jvp(fn, [x], [v]);
    const expected = matmul(j, v).toArray() as number[];
    (t.toArray() as number[]).forEach((e, i) => expect(e).toBeCloseTo(expected[i], 12));
  });
});

describe("custom rules", () => {
  const through = customVjp(
    (x: Tensor) => sign(x),
    (x: Tensor) => [sign(x), null],
    (_, g) => [g],
  );
  it("are used by gradients, alone and under vmap", () => {
    expect(grad((x: Tensor) => sum(mul(through(x), f64([2, 3]))))(f64([1, -1])).toArray()).toEqual([2, 3]);
    const g = grad((m: Tensor) => sum(vmap((row: Tensor) => sum(mul(through(row), row)))(m)))(
      f64([
        [1, -1],
        [2, 3],
      ]),
    );
    // d/dx sign(x) x with the straight-through rule: x + sign(x)
    expect(g.toArray()).toEqual([
      [2, -2],
      [3, 4],
    ]);
    const per = vmap(grad((row: Tensor) => sum(mul(through(row), row))))(
      f64([
        [1, -1],
        [2, 3],
      ]),
    );
    expect(per.toArray()).toEqual([
      [2, -2],
      [3, 4],
    ]);
  });
  it("checkpoint changes nothing but memory", () => {
    const f = (x: Tensor) => sum(mul(sin(x), exp(x)));
    const x = f64([0.3, 1.1]);
    expect(grad(checkpoint(f))(x).toArray()).toEqual(grad(f)(x).toArray());
    expect(grad((y: Tensor) => sum(grad(checkpoint(f))(y)))(x).toArray()).toEqual(
      grad((y: Tensor) => sum(grad(f)(y)))(x).toArray(),
    );
  });
});

describe("traces", () => {
  it("hold the gradient as a graph that gives the same numbers", async () => {
    const f = (w: Tensor, x: Tensor) => mean(square(sub(sigmoid(matmul(x, w)), 0.5)));
    const w = f64([[0.1], [0.2]]);
    const x = f64([
      [1, 2],
      [3, -1],
      [0, 1],
    ]);
    const step = (a: Tensor, b: Tensor) => grad(f)(a, b);
    const g = trace(step, w, x);
    expect(String(g)).toContain("matmul");
    expect((await jit(step)(w, x)).toArray()).toEqual(step(w, x).toArray());
  });
  it("tell relu's slope from its result: what it was of need not be kept", () => {
    const weighted = (x: Tensor) => sum(mul(relu(x), f64([1, 2, 3, 4, 5, 6, 7])));
    const edges = f64([Number.NEGATIVE_INFINITY, -1, -0, 0, Number.NaN, 2, Number.POSITIVE_INFINITY]);
    expect(grad(weighted)(edges).toArray()).toEqual([0, 0, 0, 0, 0, 6, 7]);
    const spec = { shape: [5], dtype: "float64" };
    const { equations } = trace(
      grad((x: Tensor, b: Tensor) => sum(square(relu(add(x, b))))),
      spec,
      spec,
    );
    const added = equations.find(({ primitive }) => primitive.name === "add")!.outputs[0]!;
    const readers = equations.filter(({ inputs }) => inputs.includes(added));
    expect(readers.map(({ primitive }) => primitive.name)).toEqual(["relu"]);
  });
  it("refuse to read values", () => {
    expect(() => trace((x: Tensor) => mul(x, x.item()), f64(1))).toThrow(/traced/);
    expect(() => trace((x: Tensor) => mul(x, 2), { shape: [2, 3] })).toThrow(/no dtype; give \{ shape: \[2,3\], dtype/);
  });
});

describe("against finite differences", () => {
  const cases: Record<string, (x: Tensor) => Tensor> = {
    softmax: (x) =>
      sum(
        mul(
          softmax(x),
          f64([
            [1, 2, 3],
            [4, 5, 6],
          ]),
        ),
      ),
    logSumExp: (x) => sum(square(logSumExp(x, { axis: 0 }))),
    max: (x) => sum(square(max(x, { axis: 1 }))),
    movement: (x) =>
      sum(
        mul(
          sin(
            slice(
              pad(transpose(x), [
                [1, 0],
                [0, 2],
              ]),
              [{ start: 3, stop: 0, step: -2 }],
            ),
          ),
          cos(
            slice(concatenate([x, square(x)], 1), [null, { step: 2 }])
              .reshape([2, 3])
              .slice([null, { stop: 2 }])
              .sum(),
          ),
        ),
      ),
    stop: (x) => sum(mul(x, stopGradient(x))),
    divide: (x) => sum(div(x, add(square(x), 1))),
  };
  for (const [name, f] of Object.entries(cases)) {
    if (name === "stop") continue;
    it(name, () => {
      const x = Float64Array.from([0.3, -0.8, 0.5, 1.2, -0.1, 0.9]);
      const at = (v: Float64Array) => f(tensor(v, { shape: [2, 3] })).item();
      const g = grad(f)(tensor(x, { shape: [2, 3] })).data();
      for (let i = 0; i < 6; i++) {
        const h = 1e-6;
        const up = x.slice();
        up[i] += h;
        const down = x.slice();
        down[i] -= h;
        expect(g[i]).toBeCloseTo((at(up) - at(down)) / (2 * h), 7);
      }
    });
  }
  it("stopGradient stops", () => {
    expect(grad(cases.stop)(f64([2, 3])).toArray()).toEqual([2, 3]);
  });
});
void eye;
void reshape;
