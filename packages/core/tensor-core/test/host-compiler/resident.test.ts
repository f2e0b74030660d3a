import { describe, expect, it } from "vitest";
import type { Resident } from "../../src/host-compiler/resident.js";
import { memoryCount } from "../../src/host-compiler/shared-memory.js";
import {
  add,
  arange,
  IndexError,
  jit,
  jitSync,
  mul,
  slice,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
  zeros,
} from "../../src/index.js";
import type { DeviceStorage } from "../../src/storage.js";

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

describe("results in the place of arguments that are used up", () => {
  const square = arange(0, 1600, 1, "float64").reshape([40, 40]);
  const place = ({ storage }: Tensor) => (storage as DeviceStorage & { handle: Resident }).handle.block.address;
  const resident = (f: (...args: Tensor[]) => Tensor[]) => jitSync(f, { resident: true });

  it("take one each, where their elements are read one by one for the last time", async () => {
    const f = (p: Tensor, m: Tensor, g: Tensor) => [sub(p, mul(g, m)), add(m, g), g];
    const compiled = resident(f);
    const [p, m] = [load(values), load(mul(values, 0.5))];
    const before = [place(p), place(m)].sort();
    const results = compiled(p, m, values);
    expect([place(results[0]), place(results[1])].sort()).toEqual(before);
    const expected = f(values, mul(values, 0.5), values);
    for (const [i, y] of results.entries()) expect((await y.host()).toArray()).toEqual(expected[i].toArray());
    expect(() => place(p)).toThrow("uses its arguments up");
    expect(String(compiled.program(values, values, values))).toContain("or in the place of argument 1, 0");
  });

  it.each<[string, (x: Tensor, y: Tensor) => Tensor[]]>([
    ["an argument that is given twice", (x, y) => [add(x, mul(y, 2)), sub(y, x)]],
    ["one that is also read the other way round", (x) => [add(x, transpose(x))]],
    ["one that is read again later", (x) => [mul(x, 2), mul(x, sum(x))]],
    ["one of which a part is read elsewhere", (x) => [mul(x, slice(x, [0]))]],
  ])("not that of %s", async (_, f) => {
    const x = load(square);
    const results = resident(f)(...new Array<Tensor>(f.length).fill(x));
    const expected = f(square, square);
    for (const [i, y] of results.entries()) expect((await y.host()).toArray()).toEqual(expected[i].toArray());
  });

  it("not where a call may end in an error, which leaves arguments as they were", async () => {
    const f = resident((x, at) => [add(mul(x, 2), take(x.reshape([1600]), at).sum()), mul(x, 3)]);
    const x = load(square);
    expect(() => f(x, tensor([1600], { dtype: "int32" }))).toThrow(IndexError);
    expect((await x.host()).toArray()).toEqual(square.toArray());
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
