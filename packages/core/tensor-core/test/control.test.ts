import { expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  add,
  cond,
  cos,
  grad,
  greater,
  jit,
  jitSync,
  less,
  mul,
  neg,
  scan,
  sin,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tensor,
  trace,
  vmap,
  whileLoop,
} from "../src/index.js";

const rollout = (w: Tensor, x0: Tensor, inputs: Tensor) =>
  scan((s: Tensor, u: Tensor) => [sin(add(mul(s, w), u)), mul(s, u)] as [Tensor, Tensor], x0, inputs);
const loss = (w: Tensor, x0: Tensor, inputs: Tensor) => {
  const [last, ys] = rollout(w, x0, inputs);
  return add(sum(mul(last, last)), sum(ys));
};

describe("scan", () => {
  const w = f64([0.5, -1.2]);
  const x0 = f64([0.1, 0.3]);
  const inputs = f64([
    [0.2, 0.4],
    [1, -1],
    [0.3, 0.9],
  ]);

  it("gives the last state and the stacked outputs, forwards and backwards", () => {
    const [total, running] = scan(
      (s: Tensor, x: Tensor) => [add(s, x), add(s, x)] as [Tensor, Tensor],
      f64(0),
      f64([1, 2, 3]),
    );
    expect(total.item()).toBe(6);
    expect(running.toArray()).toEqual([1, 3, 6]);
    const [, back] = scan(
      (s: Tensor, x: Tensor) => [add(s, x), add(s, x)] as [Tensor, Tensor],
      f64(0),
      f64([1, 2, 3]),
      { reverse: true },
    );
    expect(back.toArray()).toEqual([6, 5, 3]);
  });

  it("is the same traced as eager, and so are its first and second gradients", async () => {
    const g = (a: Tensor) => grad(loss)(a, x0, inputs);
    const gg = (a: Tensor) => grad((b: Tensor) => sum(mul(g(b), f64([1, 2]))))(a);
    for (const f of [(a: Tensor) => loss(a, x0, inputs), g, gg])
      expectClose(await jit(f)(w), f(w), { absolute: 5e-11 });
    const all = (a: Tensor, b: Tensor, c: Tensor) => grad(loss, { argument: [0, 1, 2] })(a, b, c);
    const traced = await jit(all)(w, x0, inputs);
    all(w, x0, inputs).forEach((e: Tensor, i: number) => {
      expectClose(traced[i], e, { absolute: 5e-11 });
    });
  });

  it("of one step is no loop in a graph", () => {
    const f = (a: Tensor, x: Tensor) =>
      scan((s: Tensor, v: Tensor): [Tensor, Tensor] => [mul(s, v), add(s, v)], a, x, { reverse: true });
    const all = (a: Tensor, x: Tensor) => [...f(a, x), grad((b: Tensor) => f(b, x)[0])(a)];
    expect(String(trace(all, f64(2), f64([3])))).not.toContain("scan");
    expect(jitSync(all)(f64(2), f64([3])).map((y) => y.toArray())).toEqual([6, [5], 3]);
  });

  it("stays one loop in a graph that uses it under vmap", async () => {
    const ws = f64([
      [0.5, -1.2],
      [0.1, 0.2],
    ]);
    const f = (v: Tensor) => vmap((a: Tensor) => grad(loss)(a, x0, inputs))(v);
    expectClose(await jit(f)(ws), f(ws), { absolute: 5e-11 });
  });

  it("takes no steps of an empty input", async () => {
    const f = (x: Tensor) => scan((s: Tensor, u: Tensor) => [add(s, u), mul(u, 2)] as [Tensor, Tensor], f64(4), x);
    const [s, ys] = f(tensor(new Float64Array(0)));
    expect(s.item()).toBe(4);
    expect(ys.shape).toEqual([0]);
  });

  it("refuses a body that changes the state's shape or dtype", () => {
    expect(() => scan((s: Tensor) => [sum(s), s] as [Tensor, Tensor], f64([1, 2]), null, { length: 2 })).toThrow(
      /shape/,
    );
    expect(() =>
      scan((s: Tensor) => [s.cast("float32"), s] as [Tensor, Tensor], f64([1, 2]), null, { length: 2 }),
    ).toThrow(/dtype/);
    expect(() => scan((s: Tensor) => [s, s] as [Tensor, Tensor], f64(1), null)).toThrow(/length/);
  });
});

describe("whileLoop", () => {
  const double = (x: Tensor) =>
    whileLoop(
      (s: Tensor) => less(s, 100),
      (s: Tensor) => mul(s, 2),
      x,
    );
  it("runs eagerly, traced and for each example of a batch", async () => {
    expect(double(f64(1)).item()).toBe(128);
    expect((await jit(double)(f64(3))).item()).toBe(192);
    const xs = f64([1, 3, 200]);
    expect(vmap(double)(xs).toArray()).toEqual([128, 192, 200]);
    expect((await jit((v: Tensor) => vmap(double)(v))(xs)).toArray()).toEqual([128, 192, 200]);
  });
  it("differentiates when eager and says why not when traced", async () => {
    expect(grad(double)(f64(3)).item()).toBe(64);
    await expect(jit((x: Tensor) => grad(double)(x))(f64(3))).rejects.toThrow(/scan/);
  });
  it("uses values of an outer trace", async () => {
    const f = (x: Tensor, limit: Tensor) =>
      whileLoop(
        (s: Tensor) => less(s, limit),
        (s: Tensor) => mul(s, limit),
        x,
      );
    expect((await jit(f)(f64(2), f64(10))).item()).toBe(20);
  });
});

describe("cond", () => {
  const f = (x: Tensor) =>
    cond(
      greater(x, 0),
      (a: Tensor) => mul(a, a),
      (a: Tensor) => sin(mul(a, x)),
      x,
    );
  it("takes the branch that the condition says, eagerly and traced", async () => {
    for (const x of [f64(3), f64(-0.5)]) {
      expectClose(await jit(f)(x), f(x), { absolute: 5e-11 });
      expectClose(await jit((v: Tensor) => grad(f)(v))(x), grad(f)(x), { absolute: 5e-11 });
    }
    expect(grad(f)(f64(3)).item()).toBe(6);
    expect(grad(f)(f64(-0.5)).item()).toBeCloseTo(2 * -0.5 * Math.cos(0.25), 12);
  });
  it("selects for each example of a batch", async () => {
    const xs = f64([3, -0.5]);
    const g = (v: Tensor) => vmap((x: Tensor) => grad(f)(x))(v);
    expectClose(g(xs), f64([6, -Math.cos(0.25)]), { absolute: 5e-11 });
    expectClose(await jit(g)(xs), g(xs), { absolute: 5e-11 });
  });
  describe("a branch whose loop never ends for the examples that do not take it", () => {
    /** Doubles x until it is over 100: for ever where x is not positive. */
    const doubled = (x: Tensor) =>
      whileLoop(
        (v: Tensor) => less(v, 100),
        (v: Tensor) => mul(v, 2),
        x,
      );
    const careful = (x: Tensor) => cond(greater(x, 0), doubled, (a: Tensor) => neg(a), x);
    const nested = (x: Tensor) =>
      cond(
        greater(x, -10),
        (a: Tensor) => careful(a),
        (a: Tensor) => mul(a, 3),
        x,
      );
    const batches: [string, number[], number[]][] = [
      ["some take it", [-1, 3, -5, 60], [1, 192, 5, 120]],
      ["nobody takes it", [-1, -3], [1, 3]],
      ["all take it", [3, 60], [192, 120]],
      ["there are no examples", [], []],
    ];
    it.each(batches)("%s", async (_name, xs, expected) => {
      const mapped = (v: Tensor) => vmap(careful)(v);
      const values = tensor(Float64Array.from(xs));
      expect(mapped(values).toArray()).toEqual(expected);
      expect((await jit(mapped)(values)).toArray()).toEqual(expected);
      expect(vmap(nested)(values).toArray()).toEqual(expected);
    });
    it("inside another batch, and another branch", () => {
      const pairs = f64([
        [-1, 3],
        [-20, -2],
      ]);
      expect(vmap(vmap(nested))(pairs).toArray()).toEqual([
        [1, 192],
        [-60, 2],
      ]);
    });
    it("has gradients where it is taken", () => {
      const slopes = grad((v: Tensor) => sum(vmap(careful)(v)))(f64([-1, 3, -2, 60]));
      expect(slopes.toArray()).toEqual([-1, 64, -1, 2]);
      expect(vmap(grad(careful))(f64([-1, 3, -2])).toArray()).toEqual([-1, 64, -1]);
    });
    it("is not computed for nobody", () => {
      let calls = 0;
      const counted = (x: Tensor) => {
        calls++;
        return mul(x, 2);
      };
      expect(vmap((x: Tensor) => cond(greater(x, 0), counted, (a: Tensor) => a, x))(f64([-1, -2])).toArray()).toEqual([
        -1, -2,
      ]);
      expect(calls).toBe(0);
    });
  });
  it("refuses branches that differ", async () => {
    await expect(
      jit((x: Tensor) =>
        cond(
          greater(x, 0),
          () => x,
          () => add(x, f64([1, 2])),
        ),
      )(f64(1)),
    ).rejects.toThrow(/branches/);
  });
});
void cos;
void sub;
void stopGradient;
