import { describe, expect, it } from "vitest";
import { memoryCount } from "../../src/host-compiler/shared-memory.js";
import {
  add,
  arange,
  IndexError,
  jit,
  jitSync,
  mul,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  zeros,
} from "../../src/index.js";

const values = arange(0, 2000, 1, "float64");
const load = jitSync((x: Tensor) => mul(x, 1), { resident: true });
const step = jitSync((p: Tensor, g: Tensor) => sub(p, mul(g, 0.5)), { resident: true });

describe("resident tensors", () => {
  it("go around a loop without leaving the memory of compiled functions", async () => {
    let p = load(values);
    expect(p.storage.kind).toBe("device");
    for (let i = 0; i < 10; i++) p = step(p, values);
    expect((await p.host()).toArray()).toEqual(sub(values, mul(values, 5)).toArray());
  });

  it("are used up by functions with the option, and read by others", async () => {
    const p = load(values);
    const total = jitSync((x: Tensor) => sum(x));
    expect(total(p).item()).toBe(1999000);
    expect((await jit((x: Tensor) => sum(x))(p)).item()).toBe(1999000);
    const next = step(p, values);
    expect(() => total(p)).toThrow("uses its arguments up");
    await expect(p.host()).rejects.toThrow("uses its arguments up");
    expect(total(next).item()).toBe(999500);
    next.dispose();
    expect(() => total(next)).toThrow("disposed of");
  });

  it("are handed on where a result is an argument as it is", async () => {
    const both = jitSync((x: Tensor, y: Tensor) => [y, mul(x, 2)], { resident: true });
    let [a, b] = [load(values), load(mul(values, 3))];
    for (let i = 0; i < 3; i++) [a, b] = both(a, b);
    expect((await a.host()).toArray()).toEqual(mul(values, 6).toArray());
    expect((await b.host()).toArray()).toEqual(mul(values, 4).toArray());
  });

  it("are handed on as often as they are results", async () => {
    const swapped = jitSync((x: Tensor, y: Tensor) => [y, x, y], { resident: true });
    const a = load(values);
    for (const [b, c, d] of [swapped(a, a), swapped(load(values), load(values))]) {
      for (const x of [b, c, d]) expect((await x.host()).toArray()).toEqual(values.toArray());
      expect(sum(await step(b, d).host()).item()).toBe(999500);
    }
    expect(() => swapped(a, a)).toThrow("uses its arguments up");
  });

  it("do not pile up", () => {
    let p = load(values);
    for (let i = 0; i < 20_000; i++) p = step(p, values);
    expect(jitSync((x: Tensor) => x.slice([1]))(p).item()).toBe(1 - 10_000);
  });

  it("also come from promised calls; small results are ordinary tensors", async () => {
    const f = jit((x: Tensor) => [mul(x, 2), sum(x)], { resident: true });
    const [y, s] = await f(values);
    expect(y.storage.kind).toBe("device");
    expect(s.item()).toBe(1999000);
    expect((await y.host()).toArray()).toEqual(mul(values, 2).toArray());
  });
});

it("an error gives the room for results back", () => {
  const large = zeros([250_000], "float64");
  const g = jitSync((x: Tensor, at: Tensor) => add(x, take(x, at).sum()), { resident: true });
  const far = tensor([250_000], { dtype: "int32" });
  const before = memoryCount();
  for (let i = 0; i < 100; i++) expect(() => g(large, far)).toThrow(IndexError);
  expect(memoryCount()).toBeLessThanOrEqual(before + 1);
});
