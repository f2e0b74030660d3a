import { describe, expect, it, vi } from "vitest";
import { compileSync } from "../../src/host-compiler/index.js";
import { memoryCount } from "../../src/host-compiler/shared-memory.js";
import {
  add,
  arange,
  cond,
  exp,
  grad,
  IndexError,
  jit,
  jitSync,
  less,
  linalg,
  mul,
  scan,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  trace,
  vmap,
  whileLoop,
  zeros,
} from "../../src/index.js";
import { disagreement } from "./agreement.js";

const f64 = (values: number | number[]) => tensor(values, { dtype: "float64" });

describe("jitSync", () => {
  it("returns its result at once", () => {
    const f = jitSync((x: Tensor, y: Tensor) => ({ sum: add(x, y), product: mul(x, y) }));
    const { sum: s, product } = f(f64([1, 2]), f64([3, 4]));
    expect(s.toArray()).toEqual([4, 6]);
    expect(product.toArray()).toEqual([3, 8]);
  });

  it("keeps results apart, or lets them share memory where that is asked for", () => {
    const kept = jitSync((x: Tensor) => mul(x, 2));
    const first = kept(f64([1, 2]));
    kept(f64([5, 6]));
    expect(first.toArray()).toEqual([2, 4]);
    const shared = jitSync((x: Tensor) => mul(x, 2), { views: true });
    const view = shared(f64([1, 2]));
    shared(f64([5, 6]));
    expect(view.toArray()).toEqual([10, 12]);
  });

  it("takes trees and numbers, in float64 beside float64", () => {
    const f = jitSync((p: { w: Tensor }, x: number) => mul(p.w, x));
    expect(f({ w: f64(3) }, 0.1).item()).toBe(3 * 0.1);
  });

  it("reads operands of any layout", () => {
    const f = jitSync((x: Tensor) => mul(x, 2));
    const x = arange(0, 60, 1, "float64").reshape([3, 20]);
    expect(f(x.transpose()).toArray()).toEqual(mul(x.transpose(), 2).toArray());
    expect(f(zeros([20, 3], "float64")).toArray()).toEqual(zeros([20, 3], "float64").toArray());
  });

  it("tells trees apart from those of the call before", () => {
    const f = jitSync((p: { [name: string]: Tensor | number }, rest: readonly (Tensor | null)[]) => {
      const all = [...Object.values(p), ...rest].filter((x) => x !== null);
      return all.reduce((s: Tensor, x) => add(s, x), f64(0));
    });
    expect(f({ a: f64(1), b: f64(2) }, [f64(3)]).item()).toBe(6);
    expect(f({ b: f64(20), a: f64(10) }, [f64(30)]).item()).toBe(60);
    expect(f({ a: f64(1), c: f64(2) }, [f64(4)]).item()).toBe(7);
    expect(f({ a: f64(1), c: f64(2), d: f64(3) }, [f64(4)]).item()).toBe(10);
    expect(f({ a: f64(1), c: 2, d: f64(3) }, [f64(5)]).item()).toBe(11);
    expect(f({ a: f64(1), c: f64(2), d: f64(3) }, [f64(4), f64(5)]).item()).toBe(15);
    expect(f({ a: f64(1), c: f64(2), d: f64(3) }, [null, f64(5)]).item()).toBe(11);
    expect(f({ a: f64(1), c: f64([2]), d: f64(3) }, [null, f64(5)]).toArray()).toEqual([11]);
  });

  it("says what became of the function", () => {
    const text = String(jitSync((x: Tensor) => sum(square(exp(x)))).program(arange(0, 100, 1, "float64")));
    expect(text).toMatch(/loop \[100\], 2 at a time: exp, mul, sum/);
    expect(text).toMatch(/bytes of memory/);
    expect(text).toContain(
      `${jitSync((x: Tensor) => sum(square(exp(x)))).program(arange(0, 100, 1, "float64")).bytes} bytes`,
    );
  });

  it("cannot be called once it is released", () => {
    const f = jitSync((x: Tensor) => mul(x, 2));
    expect(f(f64(1)).item()).toBe(2);
    f.release();
    expect(f(f64(2)).item()).toBe(4);
  });
});

describe("compiled functions in transformations", () => {
  const plain = (x: Tensor) => sum(mul(square(x), x));
  const x = f64([1, 2, 3]);

  it("have gradients, batches and graphs as the functions they are made of", () => {
    for (const f of [jitSync(plain), jit(plain) as unknown as typeof plain]) {
      expect(grad(f)(x).toArray()).toEqual([3, 12, 27]);
      expect(vmap(f)(x.reshape([3, 1])).toArray()).toEqual([1, 8, 27]);
      expect(trace((y: Tensor) => f(y), x).equations.length).toBe(trace(plain, x).equations.length);
      expect(jitSync(grad((y: Tensor) => f(y)))(x).toArray()).toEqual([3, 12, 27]);
    }
  });

  it("are seen through where only values from outside are given", () => {
    const f = jitSync(plain);
    expect(grad((y: Tensor) => mul(sum(y), f(x)))(x).toArray()).toEqual([36, 36, 36]);
  });
});

describe("errors of compiled code", () => {
  it("name an index out of range as the graph does", async () => {
    const f = (values: Tensor, at: Tensor) => take(values, at);
    const at = tensor([0, 3], { dtype: "int32" });
    const message = (() => {
      try {
        trace(f, f64([1, 2, 3]), at).apply([f64([1, 2, 3]), at]);
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(() => jitSync(f)(f64([1, 2, 3]), at)).toThrow(IndexError);
    expect(() => jitSync(f)(f64([1, 2, 3]), at)).toThrow(message);
    await expect(jit(f)(f64([1, 2, 3]), at)).rejects.toThrow(message);
  });

  it("leave the function usable", () => {
    const f = jitSync((a: Tensor) => linalg.cholesky(a));
    const good = f64([4, 0, 0, 4]).reshape([2, 2]);
    const bad = f64([-1, 0, 0, 1]).reshape([2, 2]);
    expect(f(good).toArray()).toEqual([
      [2, 0],
      [0, 2],
    ]);
    let threw = false;
    try {
      linalg.cholesky(bad);
    } catch {
      threw = true;
    }
    if (threw) expect(() => f(bad)).toThrow();
    expect(f(good).toArray()).toEqual([
      [2, 0],
      [0, 2],
    ]);
  });
});

describe("loops of the program", () => {
  const counted = (n: Tensor) =>
    whileLoop(
      (s: { i: Tensor; x: Tensor }) => less(s.i, n),
      (s) => ({
        i: add(s.i, 1),
        x: cond(
          less(s.x, 0.5),
          (x: Tensor) => add(x, 0.25),
          (x: Tensor) => sub(x, 0.5),
          s.x,
        ),
      }),
      { i: tensor(0, { dtype: "int32" }), x: f64(0.1) },
    );

  it("nest, branch and take as many steps as they are told", () => {
    const f = jitSync(counted);
    for (const n of [0, 1, 63, 64, 65, 1000]) {
      const { i, x } = f(tensor(n, { dtype: "int32" }));
      expect(i.item()).toBe(n);
      expect(x.item()).toBe(counted(tensor(n, { dtype: "int32" })).x.item());
    }
  });

  it("carry large states that become one another", () => {
    const swap = (a: Tensor, b: Tensor) =>
      scan((s: Tensor[], _: null): [Tensor[], Tensor] => [[s[1], add(s[0], s[1])], sum(s[0])], [a, b], null, {
        length: 20,
      });
    const at = arange(0, 40, 1, "float64");
    expect(disagreement((a, b) => swap(a, b), [at, mul(at, 0.5)])).toBe(0);
    const exchange = (a: Tensor, b: Tensor) =>
      scan((s: Tensor[], _: null): [Tensor[], null] => [[s[1], s[0]], null], [a, b], null, { length: 21 })[0];
    expect(disagreement((a, b) => exchange(a, b), [at, mul(at, 0.5)])).toBe(0);
  });

  it("give way to timers while they are awaited, one call after the other", async () => {
    // A clock by which everything takes long.
    let time = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => {
      time += 20;
      return time;
    });
    const f = jit(counted);
    let turns = 0;
    let running = true;
    const tick = () => {
      turns++;
      if (running) setTimeout(tick);
    };
    tick();
    const results = await Promise.all([f(tensor(150, { dtype: "int32" })), f(tensor(7, { dtype: "int32" }))]);
    running = false;
    clock.mockRestore();
    expect(results.map((r) => r.i.item())).toEqual([150, 7]);
    expect(turns).toBeGreaterThan(3);
  });
});

it("a hundred thousand calls of many signatures, released in between, take no more memory", () => {
  const f = jitSync((x: Tensor) => sum(square(x)));
  let wrong = 0;
  for (let n = 0; n < 300; n++) {
    const x = arange(0, n, 1, "float64");
    const expected = (n * (n - 1) * (2 * n - 1)) / 6;
    for (let k = 0; k < 340; k++) if (f(x).item() !== expected) wrong++;
    if (n % 100 === 99) f.release();
  }
  expect(wrong).toBe(0);
  expect(memoryCount()).toBeLessThanOrEqual(2);
});

describe("long programs", () => {
  const unrolled = (x: Tensor) => {
    let y = x;
    for (let i = 0; i < 400; i++) y = add(mul(y, 0.5), square(sub(x, i / 400)));
    return y;
  };
  const x = arange(0, 16, 1, "float64").mul(0.1);

  it("become several functions", () => {
    expect(disagreement(unrolled, [x])).toBeLessThan(1e-12);
    expect(String(jitSync(unrolled).program(x))).toMatch(/^program of ([2-9]|\d\d) parts/);
  });

  it("in the body of a loop keep to the locals that a function may have", () => {
    const looped = (y: Tensor) =>
      scan((s: Tensor): [Tensor, null] => [mul(unrolled(s), 0.01), null], y, null, { length: 3 })[0];
    expect(disagreement(looped, [x])).toBeLessThan(1e-12);
  });
});

it("a program of more memory than WebAssembly has is carried out operation by operation", () => {
  const graph = trace((x: Tensor) => mul(exp(x), 2), { shape: [2 ** 28], dtype: "float64" });
  expect(compileSync(graph).describe()).toMatch(/^carried out operation by operation/);
});
