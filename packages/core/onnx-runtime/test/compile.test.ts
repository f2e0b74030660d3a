import {
  acosh,
  add,
  asinh,
  atanh,
  checkpoint,
  concatenate,
  cond,
  cosh,
  customVjp,
  exp,
  expandDims,
  expm1,
  fft,
  grad,
  greater,
  jit,
  less,
  log1p,
  logSumExp,
  matmul,
  mean,
  mod,
  mul,
  pad,
  relu,
  scan,
  sin,
  sinh,
  slice,
  softmax,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  take,
  tan,
  tensor,
  transpose,
  vmap,
  whileLoop,
} from "@offprint/tensor-core";
import { f64 } from "@offprint/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OnnxRuntime, onnxRuntime } from "../src/index.js";

let backend: OnnxRuntime;
beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});
afterAll(() => backend.release());

/** The gradient of a function whose first argument is a tensor. */
const gradientOf = (f: (...args: any[]) => Tensor) => grad(f) as (...args: any[]) => Tensor;
async function agree(f: (...args: any[]) => Tensor, ...args: Tensor[]) {
  const eager = f(...args);
  const compiled = await jit(f, { backend })(...args);
  expect(compiled.shape).toEqual(eager.shape);
  expect(compiled.dtype).toBe(eager.dtype);
  const tolerance = eager.dtype === "float64" ? 1e-12 : 1e-5;
  const a = eager.data();
  compiled.data().forEach((v, i) => {
    expect(Math.abs(v - a[i])).toBeLessThanOrEqual(tolerance * (1 + Math.abs(a[i])));
  });
}

describe("compiled functions give what eager ones give", () => {
  const x = f64([
    [0.3, -1.2, 0.5],
    [2, 0.1, -0.7],
  ]);
  it("matrix products, also transposed", async () => {
    await agree((a: Tensor) => matmul(a, transpose(a)), x);
    await agree((a: Tensor) => matmul(transpose(a), a), x);
    await agree((a: Tensor) => matmul(expandDims(a, 0), transpose(expandDims(a, 0), [0, 2, 1])), x);
  });
  it("a gradient step", async () => {
    const loss = (w: Tensor, b: Tensor) => mean(square(sub(relu(add(matmul(x, w), b)), 0.5)));
    await agree(
      (w: Tensor, b: Tensor) => sub(w, mul(gradientOf(loss)(w, b), 0.1)),
      f64([
        [1, 2],
        [0, 1],
        [-1, 0.5],
      ]),
      f64([0.1, 0.2]),
    );
  });
  it("movement", async () => {
    await agree(
      (a: Tensor) =>
        concatenate(
          [
            slice(a, [null, { step: -2 }]),
            pad(a, [
              [0, 0],
              [1, -2],
            ]),
          ],
          1,
        ),
      x,
    );
    await agree(
      (a: Tensor) => gradientOf((b: Tensor) => sum(sin(slice(b, [{ start: 1, stop: 0, step: -1 }, { step: 2 }]))))(a),
      x,
    );
    await agree((a: Tensor) => take(a, tensor([2, 0, 0], { dtype: "int32" }), { axis: 1 }), x);
    await agree(
      (a: Tensor) =>
        gradientOf((b: Tensor) => sum(sin(take(b, tensor([2, 0, 0], { dtype: "int32" }), { axis: 1 }))))(a),
      x,
    );
  });
  it("softmax and logSumExp", async () => {
    await agree((a: Tensor) => softmax(a), x);
    await agree((a: Tensor) => gradientOf((b: Tensor) => sum(logSumExp(b, { axis: 0 })))(a), x);
  });
  it("functions that ONNX Runtime lacks in float64", async () => {
    const v = f64([-30, -2, -1e-9, 0, 1e-12, 0.3, 5, 25, 300]);
    for (const f of [expm1, sinh, cosh, asinh, tan]) await agree(f, v);
    await agree(log1p, f64([-0.9, -1e-10, 0, 1e-15, 0.5, 1e6, 1e300]));
    await agree(acosh, f64([1, 1.0001, 2, 1e8, 1e200]));
    await agree(atanh, f64([-0.99, -1e-10, 0, 1e-5, 0.7]));
    await agree((a: Tensor) => mod(a, f64([3, -3, 2, 2, 2, -0.2, 2, 7, -7])), v);
  });
  it("the Fourier transform", async () => {
    await agree((a: Tensor) => fft.fft(a, { axis: 1 }).im, x);
    await agree((a: Tensor) => fft.ifft({ re: a, im: exp(a) }, { axis: 0 }).re, x);
  });
});

describe("control flow", () => {
  it("scan is a Loop, with gradients", async () => {
    const f = (w: Tensor) => {
      const [s, ys] = scan(
        (c: Tensor, u: Tensor) => [sin(add(mul(c, w), u)), mul(c, u)] as [Tensor, Tensor],
        f64([0.1, 0.3]),
        f64([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
        { reverse: true },
      );
      return add(
        sum(square(s)),
        sum(
          mul(
            ys,
            f64([
              [1, 2],
              [3, 4],
              [5, 6],
            ]),
          ),
        ),
      );
    };
    await agree(f, f64([0.5, 2]));
    await agree((w: Tensor) => gradientOf(f)(w), f64([0.5, 2]));
    await agree((w: Tensor) => gradientOf((v: Tensor) => sum(gradientOf(f)(v)))(w), f64([0.5, 2]));
    await agree(
      (w: Tensor) => vmap((v: Tensor) => gradientOf(f)(v))(w),
      f64([
        [0.5, 2],
        [1, 1],
      ]),
    );
  });
  it("whileLoop and cond", async () => {
    await agree(
      (a: Tensor, limit: Tensor) =>
        whileLoop(
          (s: Tensor) => less(s, limit),
          (s: Tensor) => mul(s, a),
          a,
        ),
      f64(3),
      f64(100),
    );
    const branch = (a: Tensor) =>
      cond(
        greater(a, 0),
        (b: Tensor) => mul(b, a),
        (b: Tensor) => sin(b),
        a,
      );
    for (const v of [2, -2]) {
      await agree(branch, f64(v));
      await agree((a: Tensor) => gradientOf(branch)(a), f64(v));
    }
    await agree((a: Tensor) => vmap(branch)(a), f64([1, -1, 2]));
  });
  it("bodies keep stopped and custom gradients", async () => {
    const halved = customVjp(
      (a: Tensor) => sin(a),
      (a: Tensor) => [sin(a), a],
      (a: Tensor, g: Tensor) => [mul(mul(g, 0.5), a)],
    );
    const f = (w: Tensor) => {
      const step = (c: Tensor, u: Tensor): [Tensor, Tensor] => [
        halved(add(mul(c, w), mul(stopGradient(w), u))),
        checkpoint((a: Tensor) => mul(a, a))(c),
      ];
      const [s, ys] = scan(
        step,
        f64([0.1, 0.3]),
        f64([
          [1, 2],
          [3, 4],
        ]),
      );
      return add(sum(square(s)), sum(ys));
    };
    await agree(f, f64([0.5, 2]));
    await agree(gradientOf(f), f64([0.5, 2]));
    await agree(
      (w: Tensor) => vmap(gradientOf(f))(w),
      f64([
        [0.5, 2],
        [1, 1],
      ]),
    );
  });
});
