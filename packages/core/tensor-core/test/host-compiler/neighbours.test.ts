import { describe, expect, it } from "vitest";
import { add, cos, exp, jitSync, log1p, max, mul, sin, sub, sum, type Tensor, tanh, tensor } from "../../src/index.js";

/** Numbers between -3 and 3. */
function numbers(shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => 3 * Math.sin(1.3 * i + 0.2)),
    { shape },
  );
}

describe("what an element becomes does not depend on where it lies", () => {
  it.each([2, 3, 5, 10])("in rows of %i, which do not fill whole vectors", (columns) => {
    const rows = 40;
    const x = numbers([rows, columns]);
    const offsets = numbers([rows, 1]);
    const each = (t: Tensor, c: Tensor) => {
      const e = exp(sub(t, c));
      return [e, tanh(e), log1p(e), sum(e, 1), max(e, 1)];
    };
    const [e, t, l, total, largest] = jitSync(each)(x, offsets);
    // The same numbers in one long row.
    const spread = Float32Array.from({ length: rows * columns }, (_, i) => offsets.data()[Math.floor(i / columns)]!);
    const flat = (u: Tensor, c: Tensor) => {
      const v = exp(sub(u, c));
      return [v, tanh(v), log1p(v)];
    };
    const [wholeE, wholeT, wholeL] = jitSync(flat)(x.reshape([-1]), tensor(spread));
    expect(e!.data()).toEqual(wholeE!.data());
    expect(t!.data()).toEqual(wholeT!.data());
    expect(l!.data()).toEqual(wholeL!.data());
    const parts = Array.from({ length: rows }, (_, i) => [...e!.data().subarray(i * columns, (i + 1) * columns)]);
    expect([...total!.data()]).toEqual(parts.map((row) => Math.fround(row.reduce((a, b) => a + b, 0))));
    expect([...largest!.data()]).toEqual(parts.map((row) => Math.max(...row)));
  });

  it("in rows of three whose columns are added up, and where they lie in a wider table", () => {
    const table = numbers([50, 7]);
    const gathered = jitSync((t: Tensor) => {
      const part = t.slice([{}, { start: 1, stop: 4 }]);
      const y = mul(add(part, 1), part);
      return [y, sum(y, 0)];
    });
    const [y, sums] = gathered(table);
    const part = table.slice([{}, { start: 1, stop: 4 }]);
    const expected = mul(add(part, 1), part);
    expect(y!.data()).toEqual(expected.data());
    const columns = [0, 1, 2].map((j) =>
      Math.fround([...expected.data()].reduce((s, v, i) => (i % 3 === j ? s + v : s), 0)),
    );
    expect([...sums!.data()]).toEqual(columns);
  });

  it.each([
    { name: "sin", f: sin },
    { name: "cos", f: cos },
  ])("$name beside arguments that are too large for vectors", ({ f }) => {
    const alone = numbers([400]);
    const beside = alone.data().slice();
    for (let i = 0; i < beside.length; i += 4) beside[i] = 1e6 + i;
    const compiled = jitSync((t: Tensor) => f(t));
    const [a, b] = [compiled(alone).data(), compiled(tensor(beside)).data()];
    const math = f === sin ? Math.sin : Math.cos;
    beside.forEach((x, i) => {
      expect(b[i]).toBe(i % 4 === 0 ? Math.fround(math(x)) : a[i]);
    });
  });
});
