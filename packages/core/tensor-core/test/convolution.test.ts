import {
  expectClose,
  expectGradient,
  expectSecondGradient,
  expectVmap,
  f64,
  scattered,
  weighed,
} from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  averagePool,
  conv,
  convTranspose,
  DTypeError,
  globalAveragePool,
  grad,
  jit,
  maxPool,
  mul,
  pad,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  trace,
  ValueError,
  vmap,
  zeros,
} from "../src/index.js";
import { bind } from "../src/primitive.js";
import { maxPoolP } from "../src/primitives/pooling.js";
import { fixture, listed } from "./array-ops-fixture.js";

const list = (value: number | number[], rank: number): number[] =>
  typeof value === "number" ? new Array(rank).fill(value) : value;

/** Convolution by its definition, element by element. */
function reference(
  x: Tensor,
  w: Tensor,
  strides: number[],
  pads: number[][],
  dilation: number[],
  groups: number,
): Tensor {
  const [X, W] = [x.data(), w.data()];
  const at = (data: ArrayLike<number>, shape: readonly number[], index: number[]) => {
    let p = 0;
    for (let i = 0; i < shape.length; i++) {
      if (index[i] < 0 || index[i] >= shape[i]) return 0;
      p = p * shape[i] + index[i];
    }
    return data[p];
  };
  const places = (shape: readonly number[]): number[][] =>
    shape.reduce<number[][]>(
      (all, n) => all.flatMap((head) => Array.from({ length: n }, (_, i) => [...head, i])),
      [[]],
    );
  const kernel = w.shape.slice(2);
  const out = kernel.map(
    (k, i) => Math.floor((x.shape[i + 2] + pads[i][0] + pads[i][1] - dilation[i] * (k - 1) - 1) / strides[i]) + 1,
  );
  const shape = [x.shape[0], w.shape[0], ...out];
  const perGroup = w.shape[0] / groups;
  const values = places(shape).map(([n, o, ...s]) => {
    let total = 0;
    for (const [c, ...k] of places(w.shape.slice(1))) {
      const from = s.map((p, i) => p * strides[i] - pads[i][0] + k[i] * dilation[i]);
      const channel = Math.floor(o / perGroup) * w.shape[1] + c;
      total += at(X, x.shape, [n, channel, ...from]) * at(W, w.shape, [o, c, ...k]);
    }
    return total;
  });
  return f64(Float64Array.from(values), shape);
}

describe("conv", () => {
  it.each((fixture.conv as any[]).map((c, i): [number, any] => [i, c]))(
    "equals PyTorch, case %i, gradients too",
    (_: number, c: any) => {
      const { x, w, y, dx, dw, ...options } = c;
      const [input, kernel] = [scattered(x, 1), scattered(w, 2)];
      const result = conv(input, kernel, options);
      expectClose(result, listed(y));
      const loss = (a: Tensor, b: Tensor) => sum(mul(conv(a, b, options), scattered(result.shape, 3)));
      const [gx, gw] = grad(loss, { argument: [0, 1] })(input, kernel);
      expectClose(gx, listed(dx));
      expectClose(gw, listed(dw));
    },
  );

  it("equals its definition with padding on one side, empty batches and single places", () => {
    for (const [xs, ws, strides, pads, dilation, groups] of [
      [[2, 2, 5], [2, 2, 2], [2], [[0, 1]], [1], 1],
      [[1, 1, 1], [1, 1, 1], [3], [[0, 0]], [2], 1],
      [[0, 2, 4], [3, 2, 3], [1], [[1, 1]], [1], 1],
      [
        [1, 4, 4, 5],
        [4, 1, 2, 2],
        [1, 2],
        [
          [2, 0],
          [0, 3],
        ],
        [2, 1],
        4,
      ],
      [
        [2, 2, 3, 4, 3],
        [2, 2, 2, 1, 3],
        [1, 2, 1],
        [
          [0, 1],
          [0, 0],
          [1, 1],
        ],
        [1, 1, 1],
        1,
      ],
    ] as [number[], number[], number[], [number, number][], number[], number][]) {
      const [x, w] = [scattered(xs, 1), scattered(ws, 2)];
      const y = conv(x, w, { strides, padding: pads, dilation, groups });
      expectClose(y, reference(x, w, strides, pads, dilation, groups), 1e-13);
    }
  });

  it('padding "same" keeps the extent over the stride', () => {
    for (const n of [5, 6]) {
      for (const strides of [1, 2, 3]) {
        const y = conv(scattered([1, 1, n]), scattered([1, 1, 4]), { strides, padding: "same", dilation: 2 });
        expect(y.shape).toEqual([1, 1, Math.ceil(n / strides)]);
      }
    }
  });

  const settings = [
    { x: [2, 2, 6], w: [3, 2, 2], options: { strides: 2, padding: 1 } },
    { x: [1, 4, 4, 3], w: [2, 2, 2, 2], options: { groups: 2, dilation: [2, 1], padding: [[1, 0], 1] as any } },
    { x: [1, 1, 3, 3, 2], w: [2, 1, 2, 2, 2], options: {} },
  ];
  it.each(settings)("has gradients to second order: $x with $w", ({ x, w, options }) => {
    const f = (a: Tensor, b: Tensor) => conv(a, b, options);
    const args = [scattered(x, 1), scattered(w, 2)];
    expectGradient(f, args);
    expectSecondGradient(f, args);
  });
  it.each(settings)("batches like the loop, its gradients too: $x with $w", ({ x, w, options }) => {
    const batches = [scattered([2, ...x], 1), scattered([2, ...w], 2)];
    expectVmap((a, b) => conv(a, b, options), batches);
    const loss = (a: Tensor, b: Tensor) => weighed(conv(a, b, options));
    for (const argument of [0, 1]) {
      expectVmap(
        (a, b) => grad((p: Tensor, q: Tensor) => loss(p, q).mul(loss(p, q)), { argument })(a, b) as Tensor,
        batches,
      );
    }
  });

  it("gives a gradient for each example", () => {
    const x = scattered([4, 2, 6, 6]);
    const w = scattered([3, 2, 3, 3], 2);
    const loss = (k: Tensor, image: Tensor) => sum(conv(image.expandDims(0), k).relu());
    const each = vmap(grad(loss), { inAxes: [null, 0] })(w, x);
    expect(each.shape).toEqual([4, ...w.shape]);
    for (let i = 0; i < 4; i++) expectClose(each.slice([i]), grad(loss)(w, x.slice([i])));
  });

  it("computes in float32 and compiled alike", async () => {
    const x = scattered([2, 2, 8, 8]).cast("float32");
    const w = scattered([3, 2, 3, 3], 2).cast("float32");
    const f = (a: Tensor, b: Tensor) => conv(a, b, { padding: 1 });
    expect(f(x, w).dtype).toBe("float32");
    expectClose(f(x, w), f(x.cast("float64"), w.cast("float64")), 1e-5);
    expectClose(await jit(f)(x, w), f(x, w));
    expect(
      trace(
        grad((a: Tensor) => sum(mul(f(a, w), f(a, w)))),
        x,
      ).equations.map((e) => e.primitive.name),
    ).toContain("convInputGrad");
  });

  it.each([
    { x: [2, 2, 8], w: [3, 2, 4], options: { strides: 2, padding: 1 } },
    { x: [2, 2, 9], w: [3, 2, 3], options: { strides: 2, padding: [[2, 0]] as any } },
    { x: [1, 1, 7], w: [2, 1, 2], options: { strides: 3, padding: [[1, 4]] as any } },
    { x: [2, 2, 9], w: [3, 2, 3], options: { strides: 2, dilation: 2, padding: 2 } },
    { x: [2, 4, 7, 6], w: [6, 2, 5, 3], options: { strides: [3, 1], groups: 2, dilation: [1, 2], padding: [3, 2] } },
    { x: [2, 3, 8, 6, 4], w: [4, 3, 4, 4, 4], options: { strides: 2, padding: 1 } },
    { x: [2, 3, 4, 4], w: [5, 3, 4, 4], options: {} },
  ])("has the same gradients compiled: $x with $w, $options", async ({ x, w, options }) => {
    const loss = (a: Tensor, b: Tensor) => weighed(conv(a, b, options));
    const gradients = (a: Tensor, b: Tensor) => grad(loss, { argument: [0, 1] })(a, b);
    const args = [scattered(x, 1), scattered(w, 2)] as const;
    const [gx, gw] = await jit(gradients)(...args);
    const [ex, ew] = gradients(...args);
    expectClose(gx, ex, 1e-13);
    expectClose(gw, ew, 1e-13);
  });

  it("names what does not fit", () => {
    const x = zeros([1, 4, 5]);
    expect(() => conv(zeros([4, 5]), zeros([4, 4]))).toThrow(/1 to 3 spatial axes/);
    expect(() => conv(x, zeros([2, 4, 3, 3]))).toThrow(ShapeError);
    expect(() => conv(x, zeros([2, 3, 3]))).toThrow(/give w \[out, 4, ...\]/);
    expect(() => conv(x, zeros([2, 4, 6]))).toThrow(/larger than the padded input/);
    expect(() => conv(x, zeros([2, 4, 0]))).toThrow(ShapeError);
    expect(() => conv(x, zeros([2, 4, 3]), { groups: 3 })).toThrow(ValueError);
    expect(() => conv(x, zeros([2, 4, 3]), { strides: 0 })).toThrow(ValueError);
    expect(() => conv(x, zeros([2, 4, 3]), { strides: [1, 1] })).toThrow(ValueError);
    expect(() => conv(x, zeros([2, 4, 3]), { padding: -1 })).toThrow(ValueError);
    expect(() => conv(x, zeros([2, 4, 3]), { dilation: 0.5 })).toThrow(ValueError);
  });
});

describe("convTranspose", () => {
  it.each((fixture.convTranspose as any[]).map((c, i): [number, any] => [i, c]))(
    "equals PyTorch, case %i",
    (_: number, c: any) => {
      const { x, w, y, ...options } = c;
      const f = (a: Tensor, b: Tensor) => convTranspose(a, b, options);
      expectClose(f(scattered(x, 1), scattered(w, 2)), listed(y));
      expectGradient(f, [scattered(x, 1), scattered(w, 2)]);
    },
  );
  it("is the transpose of conv", () => {
    const w = scattered([3, 2, 3, 2], 2);
    const options = {
      strides: [2, 1],
      padding: [
        [1, 0],
        [0, 1],
      ] as [number, number][],
      outputPadding: [1, 0],
    };
    const x = scattered([2, 2, 6, 5]);
    const y = conv(x, w, { strides: [2, 1], padding: options.padding });
    const g = scattered(y.shape, 4);
    const back = convTranspose(g, w, { ...options, outputPadding: [x.shape[2] % 2 === 0 ? 0 : 1, 0] });
    expect(back.shape).toEqual(x.shape);
    expect(sum(mul(back, x)).item()).toBeCloseTo(sum(mul(g, y)).item(), 10);
  });
  it("takes an outputPadding of a stride and more below the dilation, as PyTorch does", () => {
    const [x, w] = [scattered([2, 4, 3, 4]), scattered([4, 1, 2, 3], 2)];
    const how = { strides: [2, 1], dilation: [4, 3], groups: 2 };
    const longer = (padding: number) => (a: Tensor, b: Tensor) =>
      convTranspose(a, b, { ...how, padding, outputPadding: [3, 2] });
    const plain = convTranspose(x, w, how);
    const framed = pad(plain, [
      [0, 0],
      [0, 0],
      [0, 3],
      [0, 2],
    ]);
    expectClose(longer(0)(x, w), framed);
    expectClose(longer(1)(x, w), framed.slice([null, null, { start: 1, stop: -1 }, { start: 1, stop: -1 }]));
    expectGradient(longer(0), [x, w]);
    expectGradient(longer(1), [x, w]);
    expect(() => convTranspose(x, w, { ...how, outputPadding: [4, 0] })).toThrow(/less than the strides \[2, 1\] or/);
  });
  it("batches and has second derivatives", () => {
    const f = (a: Tensor, b: Tensor) => convTranspose(a, b, { strides: 2, padding: 1, groups: 2 });
    expectVmap(f, [scattered([2, 1, 4, 3]), scattered([2, 4, 2, 3])]);
    expectSecondGradient(f, [scattered([1, 2, 3]), scattered([2, 1, 3])]);
  });
  it("names what does not fit", () => {
    expect(() => convTranspose(zeros([1, 2, 3]), zeros([3, 2, 3]))).toThrow(ShapeError);
    expect(() => convTranspose(zeros([1, 2, 3]), zeros([2, 2, 3]), { outputPadding: 1 })).toThrow(ValueError);
    expect(() => convTranspose(zeros([1, 2, 1]), zeros([2, 2, 3]), { padding: 2 })).toThrow(ShapeError);
    expect(() => convTranspose(zeros([1, 2, 1]), zeros([2, 2, 3]), { groups: 3 })).toThrow(ValueError);
  });
});

describe("pooling", () => {
  it.each((fixture.pool as any[]).map((c, i): [number, any] => [i, c]))(
    "equals PyTorch, case %i",
    (_: number, c: any) => {
      const { x, kernel, strides, padding } = c;
      const options = { ...(strides && { strides }), ...(padding && { padding }) };
      const input = scattered(x);
      expectClose(maxPool(input, kernel, options), listed(c.max));
      expectClose(averagePool(input, kernel, options), listed(c.average));
      expectClose(averagePool(input, kernel, { ...options, countIncludePad: false }), listed(c.averageInside));
      const rank = x.length - 2;
      const [, indices] = bind(maxPoolP, [input], {
        kernel: list(kernel, rank),
        strides: list(strides ?? kernel, rank),
        dilation: list(1, rank),
        padding: list(padding ?? 0, rank).map((p): [number, number] => [p, p]),
      });
      expect(Array.from(indices.data())).toEqual(c.indices);
      expectGradient((t) => maxPool(t, kernel, options), [input]);
      expectGradient((t) => averagePool(t, kernel, options), [input]);
      expectVmap((t) => maxPool(t, kernel, options), [scattered([2, ...x])]);
      expectVmap((t) => averagePool(t, kernel, { ...options, countIncludePad: false }), [scattered([2, ...x])]);
    },
  );
  it("has second derivatives, and gradients for each example", () => {
    expectSecondGradient((t) => maxPool(t, 2), [scattered([1, 2, 4, 4])]);
    expectVmap((t) => grad((v: Tensor) => weighed(mul(maxPool(v, 2), maxPool(v, 2))))(t), [scattered([2, 1, 2, 4, 4])]);
  });
  it("sends the gradient of equal values to the first, keeps NaN, dilates", () => {
    const g = grad((t: Tensor) => sum(maxPool(t, 2)))(f64([[[3, 3, 1, 2]]]));
    expect(g.toArray()).toEqual([[[1, 0, 0, 1]]]);
    expect(maxPool(f64([[[1, NaN, 3]]]), 3).toArray()).toEqual([[[NaN]]]);
    expect(maxPool([[[1, 9, 2, 3, 0]]], 2, { dilation: 2, strides: 1 }).toArray()).toEqual([[[2, 9, 2]]]);
    expect(maxPool(zeros([0, 2, 4]), 2).shape).toEqual([0, 2, 2]);
  });
  it("globalAveragePool averages all places", () => {
    const x = scattered([2, 3, 4, 5]);
    expectClose(globalAveragePool(x), x.mean({ axis: [2, 3] }));
    expect(globalAveragePool(x, { keepDims: true }).shape).toEqual([2, 3, 1, 1]);
  });
  it("names what does not fit", () => {
    expect(() => maxPool(zeros([1, 1, 3]), 4)).toThrow(ShapeError);
    expect(() => maxPool(zeros([1, 1, 3]), 2, { padding: 2 })).toThrow(ValueError);
    expect(() => maxPool(zeros([1, 1, 1]), 2, { padding: 1, dilation: 2 })).toThrow(/sees padding only/);
    expect(() => maxPool(zeros([3]), 2)).toThrow(ShapeError);
    expect(() => maxPool(zeros([1, 1, 3]), 0)).toThrow(ValueError);
    expect(() => averagePool(zeros([1, 1, 3]), [2, 2])).toThrow(ValueError);
    expect(() =>
      bind(maxPoolP, [tensor([[[1]]], { dtype: "int32" })], {
        kernel: [1],
        strides: [1],
        dilation: [1],
        padding: [[0, 0]],
      }),
    ).toThrow(DTypeError);
  });
});
