import { describe, expect, it } from "vitest";
import {
  add,
  arange,
  IndexError,
  jit,
  jitSync,
  mul,
  random,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
} from "../../src/index.js";

const SIZE = 6000;
const rng = random.rng(3);
const large = () => rng.normal([SIZE], { dtype: "float64" });

function differs(x: Tensor, y: Tensor): boolean {
  const [a, b] = [x.data(), y.data()];
  return a.length !== b.length || a.some((value, i) => value !== b[i]);
}

describe("large arguments that were arguments or results of the call before", () => {
  it("mean the same in whatever order they come, with others between", () => {
    const f = (x: Tensor, y: Tensor, z: Tensor) => [sub(mul(x, 2), y), add(y, mul(z, 3)), z];
    const compiled = jitSync(f);
    let pool = Array.from({ length: 5 }, large);
    for (let turn = 0; turn < 200; turn++) {
      const [x, y, z] = Array.from(rng.randint([3], { high: pool.length }).data(), (i) => pool[i]);
      const results = compiled(x, y, z);
      const expected = f(x, y, z);
      expect(results.filter((r, i) => differs(r, expected[i]))).toEqual([]);
      // Results as they are, so that they may be found, or made smaller, so that they are other tensors.
      pool = turn % 3 === 0 ? [...pool.slice(1), results[turn % 2]] : [...pool.slice(1), results[0].mul(0.1)];
    }
  });

  it("go around a loop as state", async () => {
    const step = (p: Tensor, m: Tensor, g: Tensor) => [sub(p, mul(m, 0.1)), add(mul(m, 0.9), mul(g, 0.1))];
    const [sync, promised] = [jitSync(step), jit(step)];
    const g = large();
    let [a, b, c] = [0, 1, 2].map(() => [g, g]);
    for (let i = 0; i < 20; i++) {
      a = step(a[0], a[1], g);
      b = sync(b[0], b[1], g);
      c = await promised(c[0], c[1], g);
    }
    expect([differs(b[0], a[0]), differs(c[1], a[1])]).toEqual([false, false]);
  });

  it("may be the same for several inputs, and of any layout", () => {
    const f = (x: Tensor, y: Tensor) => sub(mul(x, 3), y);
    const compiled = jitSync(f);
    const x = arange(0, SIZE, 1, "float64").reshape([60, 100]);
    const turned = arange(0, SIZE, 1, "float64").reshape([100, 60]).transpose();
    for (const [a, b] of [
      [x, x],
      [x, turned],
      [turned, turned],
      [turned, x],
    ]) {
      expect(differs(compiled(a, b), f(a, b))).toBe(false);
    }
  });

  it("are read anew where they are views of what a function computes", () => {
    const shared = jitSync((x: Tensor) => mul(x, 2), { views: true });
    const total = jitSync((x: Tensor) => sum(x));
    const view = shared(arange(0, SIZE, 1, "float64"));
    const first = total(view).item();
    shared(arange(0, 2 * SIZE, 2, "float64"));
    expect(total(view).item()).toBe(2 * first);
  });

  it("are not found where an error came between", () => {
    const compiled = jitSync((x: Tensor, at: Tensor) => add(x, take(x, at).sum()));
    const [x, y] = [large(), large()];
    const at = (i: number) => tensor([i], { dtype: "int32" });
    const [first, second] = [x, y].map((t) => add(t, take(t, at(2)).sum()));
    compiled(x, at(2));
    expect(() => compiled(y, at(SIZE))).toThrow(IndexError);
    expect(differs(compiled(x, at(2)), first)).toBe(false);
    expect(differs(compiled(y, at(2)), second)).toBe(false);
  });
});
