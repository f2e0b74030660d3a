import { describe, expect, it } from "vitest";
import { add, div, jitSync, mul, neg, scan, square, stack, sub, type Tensor, tensor } from "../../src/index.js";

// Every pair of them is tried: sums that are 0 have their own rule of signs.
const special = [0, -0, 1, -1, 2.5, Infinity, -Infinity, Number.NaN, 1e-310, -1e300];

const formulas: Readonly<Record<string, (x: Tensor, y: Tensor) => Tensor>> = {
  "x + (-y)": (x, y) => add(x, neg(y)),
  "(-x) + y": (x, y) => add(neg(x), y),
  "(-x) + (-y)": (x, y) => add(neg(x), neg(y)),
  "x - (-y)": (x, y) => sub(x, neg(y)),
  "(-x) - y": (x, y) => sub(neg(x), y),
  "(-x) - (-y)": (x, y) => sub(neg(x), neg(y)),
  "(-x) y": (x, y) => mul(neg(x), y),
  "x (-y)": (x, y) => mul(x, neg(y)),
  "(-x) (-y)": (x, y) => mul(neg(x), neg(y)),
  "(-x) / y": (x, y) => div(neg(x), y),
  "x / (-y)": (x, y) => div(x, neg(y)),
  "-(-x) - y": (x, y) => sub(neg(neg(x)), y),
  "1 + (-x) y": (x, y) => add(1, mul(neg(x), y)),
  "(-x)^2 - y": (x, y) => sub(square(neg(x)), y),
  "-x, and what is made of it": (x, y) => sub(mul(neg(x), neg(x)), add(neg(x), y)),
  "3 - (-x) - 2": (x) => sub(sub(3, neg(x)), 2),
};

describe.each(["float32", "float64"] as const)("signs of single elements, %s", (dtype) => {
  it.each(Object.keys(formulas))("%s has the bits that it has operation by operation", (name) => {
    const f = formulas[name];
    const compiled = jitSync(f);
    for (const a of special) {
      for (const b of special) {
        const [x, y] = [tensor([a, 3], { dtype }), tensor([b, -2], { dtype })];
        expect(Array.from(compiled(x, y).data()), `x = ${a}, y = ${b}`).toEqual(Array.from(f(x, y).data()));
      }
    }
  });

  it("are those of each turn of a loop", () => {
    const turns = (x: Tensor, y: Tensor) =>
      scan((s: Tensor, _: null): [Tensor, Tensor] => [neg(s), add(y, mul(neg(s), y))], x, null, { length: 3 })[1];
    const [x, y] = [tensor([0, 2], { dtype }), tensor([-0, 5], { dtype })];
    expect(Array.from(jitSync(turns)(x, y).data())).toEqual(Array.from(turns(x, y).data()));
  });
});

it("whole numbers wrap round", () => {
  const f = (x: Tensor) => stack([neg(neg(x)), sub(neg(x), x), add(x, neg(x)), mul(neg(x), x)]);
  const x = tensor([-2147483648, 2147483647], { dtype: "int32" });
  expect(Array.from(jitSync(f)(x).data())).toEqual(Array.from(f(x).data()));
});
