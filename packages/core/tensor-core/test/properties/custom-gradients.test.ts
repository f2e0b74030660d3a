import { f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  add,
  checkpoint,
  cond,
  customVjp,
  exp,
  Graph,
  grad,
  hessian,
  jacobian,
  jit,
  jvp,
  mul,
  pad,
  scan,
  sin,
  slice,
  square,
  stack,
  stopGradient,
  sum,
  type Tensor,
  trace,
  valueAndGrad,
  vmap,
} from "../../src/index.js";
import { expectClose } from "./comparison.js";

const close = (actual: Tensor, expected: Tensor, tolerance = 1e-12) => expectClose(actual, expected, tolerance, "");
const loop = (f: (...x: Tensor[]) => Tensor, ...batches: Tensor[]) =>
  stack(Array.from({ length: batches[0].shape[0] }, (_, i) => f(...batches.map((b) => slice(b, [i])))));

const xs = f64([
  [0.3, -1.2, 0.7],
  [1.1, 0.4, -0.5],
]);

describe("customVjp and checkpoint", () => {
  /** x^3 with residuals that are arguments, results and intermediates. */
  const cube = customVjp(
    (x: Tensor) => mul(x, square(x)),
    (x) => {
      const s = square(x);
      const y = mul(x, s);
      return [y, { s, y, x }];
    },
    ({ s }: { s: Tensor }, g) => [mul(g, mul(s, 3))],
  );
  /** e^x whose residual is its own result. */
  const exponential = customVjp(
    exp,
    (x) => {
      const y = exp(x);
      return [y, y];
    },
    (y: Tensor, g) => [mul(g, y)],
  );
  const remembered = checkpoint((x: Tensor) => mul(x, square(x)));

  it.each([
    ["customVjp", cube],
    ["checkpoint", remembered],
  ])("%s differentiates to third order, eager and traced", async (_, f) => {
    const third = grad(grad(grad((x: Tensor) => f(x)) as any) as any) as (x: Tensor) => Tensor;
    const second = grad(grad((x: Tensor) => f(x)) as any) as (x: Tensor) => Tensor;
    for (const run of [second, jit(second)]) close(await run(f64(1.3)), f64(6 * 1.3));
    for (const run of [third, jit(third)]) close(await run(f64(1.3)), f64(6));
  });

  it("a residual that is the result differentiates by the rule again", () => {
    let f: (x: Tensor) => Tensor = (x) => exponential(mul(x, 2));
    for (let order = 1; order <= 4; order++) {
      f = grad(f) as (x: Tensor) => Tensor;
      close(f(f64(0.2)), f64(2 ** order * Math.exp(0.4)), 1e-13);
    }
  });

  it.each([
    ["customVjp", cube, (x: Tensor) => mul(x, square(x))],
    ["own result", exponential, exp],
    ["checkpoint", remembered, (x: Tensor) => mul(x, square(x))],
  ])("%s maps, with gradients inside and outside and both", (_, f, plain) => {
    const loss = (g: (x: Tensor) => Tensor) => (x: Tensor) => sum(sin(g(x)));
    close(vmap(f)(xs), plain(xs));
    close(vmap(grad(loss(f)))(xs), grad(loss(plain))(xs));
    close(grad((x: Tensor) => sum(vmap(loss(f))(x)))(xs), grad(loss(plain))(xs));
    close(vmap(hessian(loss(f)))(xs), vmap(hessian(loss(plain)))(xs));
    close(hessian((x: Tensor) => sum(vmap(loss(f))(x)))(xs), hessian(loss(plain))(xs));
    const twice = (g: (x: Tensor) => Tensor) => (x: Tensor) => sum(square(vmap(grad(loss(g)))(x)));
    close(grad(twice(f))(xs), grad(twice(plain))(xs), 1e-11);
    close(vmap(vmap(f))(stack([xs, xs])), plain(stack([xs, xs])));
    close(jvp(f, [xs], [xs])[1], jvp(plain, [xs], [xs])[1]);
    close(jacobian(f)(slice(xs, [0])), jacobian(plain)(slice(xs, [0])));
  });

  it("map where only some arguments are batched, and sum the gradient of the others", () => {
    const product = customVjp(
      (a: Tensor, b: Tensor) => mul(a, b),
      (a, b) => [mul(a, b), [a, b]],
      ([a, b], g) => [mul(g, b), sum(mul(g, a))],
    );
    const w = f64(0.7);
    close(vmap(product, { inAxes: [0, null] })(xs, w), mul(xs, w));
    const loss = (v: Tensor) => sum(square(vmap(product, { inAxes: [0, null] })(xs, v)));
    close(grad(loss)(w), mul(sum(square(xs)), 1.4));
    close(grad(grad(loss))(w), mul(sum(square(xs)), 2));
  });

  it("run inside loops that are traced and mapped", async () => {
    const f = (x: Tensor) => scan((s: Tensor, v: Tensor) => [add(cube(s), mul(v, x)), s], x, f64([0.1, 0.2, 0.3]))[0];
    const plain = (x: Tensor) => {
      let s = x;
      for (const v of [0.1, 0.2, 0.3]) s = add(mul(s, square(s)), mul(v, x));
      return s;
    };
    const points = f64([0.2, 0.5, -0.3]);
    close(vmap(f)(points), plain(points));
    close(await jit(vmap(f))(points), plain(points));
    close(await jit(vmap(grad(f)))(points), grad((x: Tensor) => sum(plain(x)))(points));
    close(
      (await jit(vmap(grad(grad(f) as any) as any))(points)) as Tensor,
      vmap(grad(grad(plain) as any) as any)(points) as Tensor,
    );
  });

  it("a batched value that a traced loop body closes over goes through a custom gradient", async () => {
    const product = customVjp(
      (a: Tensor, b: Tensor) => mul(a, b),
      (a, b) => [mul(a, b), [a, b]],
      ([a, b], g) => [mul(g, b), mul(g, a)],
    );
    const f = (x: Tensor) => scan((s: Tensor, v: Tensor) => [product(s, add(v, x)), s], f64(1), f64([1, 2]))[0];
    const plain = (x: Tensor) => mul(add(x, 1), add(x, 2));
    const points = f64([0.2, 0.5]);
    close(await jit(vmap(f))(points), plain(points));
    close(await jit(vmap(grad(f)))(points), add(mul(points, 2), 3));
    close(vmap(grad(f))(points), add(mul(points, 2), 3));
  });

  it("checkpoint evaluates again only for the gradient, and keeps its barrier in a graph", () => {
    let calls = 0;
    const f = checkpoint((x: Tensor) => {
      calls++;
      return sin(sin(x));
    });
    f(f64(1));
    expect(calls).toBe(1);
    // Once to see what the function closes over, once for the value, once for the gradient.
    grad(f)(f64(1));
    expect(calls).toBe(4);
    const text = String(trace(valueAndGrad(f), { shape: [], dtype: "float64" }));
    // Two for the value; the inner one again for the gradient.
    expect(text.match(/= sin /g)?.length).toBe(3);
    expect(text).toContain("identity");
  });

  it("straight-through and null gradients", () => {
    const through = customVjp(
      (x: Tensor) => x.sign(),
      (x) => [x.sign(), null],
      (_, g) => [g],
    );
    close(grad((x: Tensor) => sum(mul(through(x), f64([1, 2, 3]))))(slice(xs, [0])), f64([1, 2, 3]));
    const none = customVjp(
      (x: Tensor) => x,
      (x) => [x, null],
      () => [null],
    );
    close(grad((x: Tensor) => sum(none(x)))(slice(xs, [0])), f64([0, 0, 0]));
  });
});

describe("gradient rules in the bodies of traced loops and branches", () => {
  const through = customVjp(
    (x: Tensor) => x.sign(),
    (x) => [x.sign(), null],
    (_, g) => [g],
  );
  /** A rule that is not the derivative, with residuals of every kind. */
  const odd = customVjp(
    (x: Tensor, w: Tensor) => mul(sin(x), w),
    (x, w) => {
      const s = sin(x);
      const y = mul(s, w);
      return [y, { x, s, y, factor: 2 }];
    },
    ({ x, s, y, factor }: any, g) => [mul(g, add(add(mul(x, s), y), factor)), mul(g, mul(s, s))],
  );
  const steps = f64([0.5, -1, 2]);
  const bodies: [string, (s: Tensor, v: Tensor, x: Tensor) => Tensor][] = [
    ["straight through", (s, v, x) => add(mul(through(mul(x, v)), s), through(s))],
    ["a rule with residuals", (s, v, x) => odd(add(s, v), mul(x, s))],
    ["a stopped gradient", (s, v, x) => add(mul(stopGradient(s), s), mul(stopGradient(mul(x, v)), x))],
    ["a checkpoint", (s, v, x) => checkpoint((a: Tensor, b: Tensor) => mul(sin(a), through(b)))(s, mul(v, x))],
    ["a rule inside a rule", (s, v, x) => checkpoint((a: Tensor, b: Tensor) => odd(odd(a, b), b))(s, mul(v, x))],
    ["an inner gradient", (s, v, x) => grad((z: Tensor) => mul(odd(z, x), mul(z, v)))(s)],
    ["an inner mapped rule", (s, v, x) => sum(vmap((z: Tensor) => odd(z, s))(stack([x, mul(x, v)])))],
    [
      "a branch",
      (s, v, x) =>
        cond(
          v.greater(0),
          (a: Tensor) => odd(a, x),
          (a: Tensor) => through(mul(a, x)),
          s,
        ),
    ],
    ["a loop in the loop", (s, v, x) => scan((a: Tensor, _: Tensor) => [odd(a, v), a], s, stack([x, x]))[0]],
    ["softmax-like shifts", (s, v, x) => stack([s, mul(v, x)]).logSumExp()],
  ];
  it.each(bodies)("%s: traced as eager, to second order and mapped", async (_, body) => {
    const f = (x: Tensor) => scan((s: Tensor, v: Tensor) => [body(s, v, x), s], mul(x, 0.7), steps)[0];
    const at = f64(0.6);
    const many = f64([0.6, -0.4]);
    const first = grad(f) as (x: Tensor) => Tensor;
    const second = grad(first) as (x: Tensor) => Tensor;
    close(await jit(f)(at), f(at));
    close(await jit(first)(at), first(at));
    close(await jit(second)(at), second(at));
    close(await jit(vmap(first))(many), loop(first, many));
    close(await jit(vmap(second))(many), loop(second, many));
    close(
      await jit(grad((x: Tensor) => sum(square(vmap(f)(x)))))(many),
      grad((x: Tensor) => sum(square(vmap(f)(x))))(many),
    );
    close(await jit((x: Tensor) => jvp(f, [x], [f64(1)])[1])(at), jvp(f, [at], [f64(1)])[1]);
  });

  it("are gone from what a backend is given", () => {
    const f = (x: Tensor) => scan((s: Tensor, v: Tensor) => [odd(stopGradient(s), mul(x, v)), s], x, steps)[0];
    const graph = trace(grad(f), { shape: [], dtype: "float64" });
    const names: string[] = [];
    const collect = (g: Graph) => {
      for (const e of g.equations) {
        names.push(e.primitive.name);
        for (const value of Object.values(e.params ?? {})) if (value instanceof Graph) collect(value);
      }
    };
    collect(graph);
    expect(names).toContain("scan");
    expect(names).toContain("sin");
    expect(names).not.toContain("customCall");
    expect(names).not.toContain("stopGradient");
  });

  it("operations whose parameters differ in an infinity or the sign of 0 are not merged", async () => {
    const f = (x: Tensor) =>
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 0, -0].map((v) => pad(x, [1, 0], v));
    const traced = await jit(f)(f64([1]));
    expect(traced.map((y) => y.data()[0])).toEqual([
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
      0,
      -0,
    ]);
  });
});
