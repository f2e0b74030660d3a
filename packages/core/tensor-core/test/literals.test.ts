import { describe, expect, it } from "vitest";
import {
  add,
  asTensor,
  broadcastTo,
  cast,
  clip,
  cond,
  customVjp,
  div,
  equal,
  exp,
  grad,
  greater,
  hvp,
  isFinite,
  jvp,
  less,
  log,
  matmul,
  mul,
  neg,
  pow,
  scan,
  special,
  sqrt,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  trace,
  tree,
  valueAndGrad,
  vjp,
  vmap,
  where,
} from "../src/index.js";

const wide = tensor([1, 2, 3], { dtype: "float64" });
const narrow = tensor([1, 2, 3]);
const whole = tensor([1, 2, 3], { dtype: "int32" });

/** Arithmetic of plain numbers alone, and its exact value. */
const arithmetic: [name: string, run: () => Tensor, value: number][] = [
  ["add", () => add(-1, 0.3), -1 + 0.3],
  ["nested", () => div(sub(0.1, mul(3, 0.7)), add(1, 0.3)), (0.1 - 3 * 0.7) / (1 + 0.3)],
  ["unary", () => sqrt(exp(neg(0.3))), Math.sqrt(Math.exp(-0.3))],
  ["pow", () => pow(10, -0.3), 10 ** -0.3],
  ["square", () => square(0.1), 0.1 * 0.1],
  ["clip", () => clip(0.7, 0.1, 0.3), 0.3],
  ["where of numbers", () => where(true, 0.1, 0.3), 0.1],
  ["special functions", () => special.digamma(add(0.25, 0.75)), -0.5772156649015329],
];

describe("plain numbers alone", () => {
  it.each(arithmetic)("lose no digit beside float64: %s", (_, run, value) => {
    const times = mul(wide, run());
    expect(times.dtype).toBe("float64");
    expect(Math.abs(times.data()[0] - value)).toBeLessThanOrEqual(1e-15 * Math.abs(value));
    expect(Math.abs(cast(run(), "float64").item() - value)).toBeLessThanOrEqual(1e-15 * Math.abs(value));
  });

  it.each(arithmetic)("are float32 beside float32 and alone: %s", (_, run, value) => {
    expect(mul(narrow, run()).dtype).toBe("float32");
    expect(run().dtype).toBe("float32");
    expect(run().item()).toBeCloseTo(value, 5);
    expect(run().data()).toBeInstanceOf(Float32Array);
  });

  it("stay integers beside integers where they are", () => {
    expect(mul(whole, add(1, 1)).dtype).toBe("int32");
    expect(mul(whole, add(1, 0.5)).dtype).toBe("float32");
    expect(mul(whole, add(1, 1e-9)).dtype).toBe("float32");
  });

  it("keep their digits in choices, joins and shapes", () => {
    const slope = where(greater(wide, 1.5), 1, 0.1);
    expect([...mul(wide, slope).data()]).toEqual([0.1, 2, 3]);
    expect([...stack([wide.slice([0]), add(0, 0.1)]).data()]).toEqual([1, 0.1]);
    expect(stack([tensor(1, { dtype: "int32" }), 2]).dtype).toBe("int32");
    expect([...add(wide, broadcastTo(mul(1, 0.1), [3])).data()]).toEqual([1.1, 2.1, 3.1]);
  });

  it("are compared as they are", () => {
    expect(equal(add(0.1, 0.2), 0.3).item()).toBe(0);
    expect(less(0.1, add(0.1, 1e-12)).item()).toBe(1);
    expect(isFinite(1e300).item()).toBe(1);
  });

  it("become strong float32 where one says so", () => {
    const third = Math.fround(1 / 3);
    for (const x of [tensor(1 / 3), cast(div(1, 3), "float32"), asTensor(1 / 3, "float32")]) {
      expect(mul(tensor(1, { dtype: "float64" }), x).item()).toBe(third);
    }
  });

  it("survive JSON", () => {
    const x = tree.fromJson<{ x: Tensor }>(tree.toJson({ x: add(-1, 0.3) })).x;
    expect(x.dtype).toBe("float32");
    expect(mul(tensor(1, { dtype: "float64" }), x).item()).toBe(-1 + 0.3);
  });
});

describe("plain numbers in transformations", () => {
  const factor = () => add(-1, 0.3);

  it("lose no digit when traced, and leave no trace of float64 in float32 graphs", () => {
    const f = (x: Tensor) => sum(mul(x, mul(factor(), where(greater(x, 1.5), 0.1, 1))));
    const graph = trace(f, wide);
    expect(graph.apply([wide])[0].item()).toBe(f(wide).item());
    expect(String(trace(f, narrow))).not.toContain("float64");
    expect(String(trace(f, narrow))).not.toContain("cast");
  });

  it("lose no digit under grad and vmap", () => {
    expect([...grad((x: Tensor) => sum(mul(x, factor())))(wide).data()]).toEqual([-0.7, -0.7, -0.7]);
    expect([...vmap((x: Tensor) => mul(x, factor()))(wide).data()]).toEqual([-0.7, -1.4, 3 * -0.7]);
    expect([...vmap((x: Tensor) => where(greater(x, 1.5), 0.1, 0.2).mul(x))(wide).data()]).toEqual([0.2, 0.2, 3 * 0.1]);
  });

  it("are differentiated in float64 as arguments", () => {
    const c = tensor(0.1, { dtype: "float64" });
    const [value, slope] = valueAndGrad((x: TensorLike) => mul(mul(x, x), c))(0.3);
    expect(value.item()).toBe(0.3 * 0.3 * 0.1);
    expect(slope.dtype).toBe("float32");
    expect(mul(c, slope).item()).toBeCloseTo(0.1 * 0.06, 17);
    // Of numbers alone: exact in float64, float32 to the eye.
    const cube = grad((x: TensorLike) => mul(x, mul(x, x)))(0.3);
    expect(cube.dtype).toBe("float32");
    expect(cast(cube, "float64").item()).toBeCloseTo(0.27, 16);
    const second = grad(grad((x: TensorLike) => mul(x, mul(x, x))))(0.3);
    expect(cast(second, "float64").item()).toBeCloseTo(1.8, 15);
    expect(cast(hvp((x: TensorLike) => mul(x, mul(x, x)))(0.3, 0.1), "float64").item()).toBeCloseTo(0.18, 16);
    const [y, dy] = jvp((x) => log(x), [0.3], [0.7]);
    expect(cast(y, "float64").item()).toBe(Math.log(0.3));
    expect(cast(dy, "float64").item()).toBeCloseTo(0.7 / 0.3, 15);
    const [, pullback] = vjp((x: number) => exp(x), 0.3);
    expect(cast(pullback(0.1 as never)[0], "float64").item()).toBeCloseTo(0.1 * Math.exp(0.3), 16);
  });

  it("keep their gradient when the float64 value is asked for late", () => {
    const c = tensor(0.1, { dtype: "float64" });
    const slope = grad((x: TensorLike) => {
      const y = mul(x, 0.7);
      const stopped = customVjp(
        (v: Tensor) => mul(v, y),
        (v: Tensor) => [mul(v, y), y],
        (k: Tensor, g: Tensor) => [mul(g, k)],
      )(c);
      return add(stopped, mul(y, c));
    })(0.3);
    expect(cast(slope, "float64").item()).toBeCloseTo(0.07, 16);
  });

  it("go through loops, branches and functions with their own gradient", () => {
    const [total] = scan(
      (s: Tensor, x: Tensor) => [add(s, mul(x, factor())), null],
      tensor(0, { dtype: "float64" }),
      wide,
    );
    expect(total.item()).toBeCloseTo(6 * -0.7, 15);
    expect(
      cond(
        true,
        () => mul(wide, factor()),
        () => wide,
      ).data()[0],
    ).toBe(-0.7);
    const scaled = customVjp(
      (x: Tensor, s: Tensor) => mul(x, s),
      (x: Tensor, s: Tensor) => [mul(x, s), s],
      (s: Tensor, g: Tensor) => [mul(g, s), null],
    );
    expect(scaled(wide, factor()).data()[0]).toBe(-0.7);
    expect(grad((x: Tensor) => sum(scaled(x, factor())))(wide).data()[0]).toBe(-0.7);
    expect(matmul(wide, stack([factor(), factor(), factor()])).dtype).toBe("float64");
  });
});
