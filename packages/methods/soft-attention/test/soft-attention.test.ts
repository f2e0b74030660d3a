import { largestDifference } from "@offprint/claims";
import { layerNorm } from "@offprint/nn";
import {
  add,
  concatenate,
  conv,
  eye,
  grad,
  jit,
  linalg,
  matmul,
  mul,
  random,
  special,
  sub,
  sum,
  swapAxes,
  type Tensor,
  take,
  transpose,
  vmap,
} from "@offprint/tensor-core";
import { f64, numericalGradient, weighed } from "@offprint/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  adaptivePool,
  attentionDiagnostics,
  type Bottleneck,
  fullGaussianAttention,
  gaussianKernel,
  type Normalization,
  newtonPinv,
  type SoftAttentionOptions,
  softAttention,
} from "../src/index.js";
import { largest } from "./comparison.js";

const normal = (shape: readonly number[], seed: number | string = 0, std = 1) =>
  random.rng(`soft/${seed}`).normal([...shape], { dtype: "float64", std });
/** The attention matrix: what attention does to the unit vectors. */
const matrix = (q: Tensor, options: SoftAttentionOptions) =>
  softAttention(q, eye(q.shape[0], undefined, "float64"), options);
const identity: Bottleneck = (q) => q;
const t = (x: Tensor) => swapAxes(x, -1, -2);

describe("gaussianKernel", () => {
  it("is exp(-|a - b|^2 / 2), symmetric with ones on the diagonal, and zero far away", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5 }), fc.nat(), (n, e, seed) => {
        const [a, b] = [normal([n, e], seed), normal([n + 1, e], seed + 1)];
        const k = gaussianKernel(a, b).data();
        const [x, y] = [a.data(), b.data()];
        for (let i = 0; i < n; i++) {
          for (let j = 0; j <= n; j++) {
            let d = 0;
            for (let l = 0; l < e; l++) d += (x[i * e + l] - y[j * e + l]) ** 2;
            expect(k[i * (n + 1) + j]).toBeCloseTo(Math.exp(-d / 2), 12);
          }
        }
        const s = gaussianKernel(a, a);
        expect(largestDifference(s, t(s))).toBeLessThan(1e-13);
        expect(linalg.eigvalsh(s).data()[0]).toBeGreaterThan(-1e-12);
      }),
      { numRuns: 30, seed: 1 },
    );
    expect(gaussianKernel([[0]], [[100]]).item()).toBe(0);
  });

  it("depends on differences alone in float32 too, and has ones on the diagonal of points that lie far apart", () => {
    const x = random.rng(7).normal([2, 64, 8]);
    const [values, options] = [random.rng(8).normal([2, 64, 3]), { grid: [8, 8], ratio: 4 } as const];
    const usual = { soft: softAttention(x, values, options), full: fullGaussianAttention(x, values) };
    const moved = x.add(1000);
    expect(largestDifference(gaussianKernel(moved, moved), gaussianKernel(x, x))).toBeLessThan(1e-3);
    expect(largestDifference(softAttention(moved, values, options), usual.soft)).toBeLessThan(0.01);
    expect(largestDifference(fullGaussianAttention(moved, values), usual.full)).toBeLessThan(0.01);
    for (const spread of [1e3, 1e6]) {
      expect(largestDifference(fullGaussianAttention(x.mul(spread), values), values)).toBe(0);
      // No token is near the mean of another place: nothing is attended to.
      expect(softAttention(x.mul(spread), values, options).abs().max().item()).toBe(0);
    }
  });
});

describe("softAttention", () => {
  it("is exact when every token is a bottleneck token", () => {
    const q = normal([20, 6], 1, 1.6);
    const s = fullGaussianAttention(q, eye(20, undefined, "float64"));
    const { condition } = attentionDiagnostics(q, {
      grid: [1, 20],
      ratio: 1,
      bottleneck: identity,
      pinv: { ridge: 0 },
    });
    expect(condition).toBeLessThan(100);
    const pinv = { ridge: 0, iterations: 30 };
    expect(largestDifference(matrix(q, { grid: [1, 20], ratio: 1, bottleneck: identity, pinv }), s)).toBeLessThan(1e-8);
    expect(largestDifference(matrix(q, { grid: [4, 5], ratio: 1 }), s)).toBe(0);
  });

  it("approximates from below: symmetric, positive semidefinite, diagonal at most 1, better with more landmarks", () => {
    const q = normal([24, 4], 2);
    const s = fullGaussianAttention(q, eye(24, undefined, "float64"));
    let before = Number.POSITIVE_INFINITY;
    for (const m of [1, 3, 6, 9, 12]) {
      const bottleneck: Bottleneck = (x) =>
        take(
          x,
          Array.from({ length: m }, (_, i) => 2 * i),
          { axis: -2 },
        );
      const approximate = matrix(q, { grid: [4, 6], ratio: 2, bottleneck, pinv: { ridge: 0, iterations: 40 } });
      expect(largestDifference(approximate, t(approximate))).toBeLessThan(1e-9);
      expect(linalg.eigvalsh(mul(add(approximate, t(approximate)), 0.5)).data()[0]).toBeGreaterThan(-1e-9);
      for (let i = 0; i < 24; i++) expect(approximate.data()[25 * i]).toBeLessThan(1 + 1e-9);
      const trace = sum(mul(sub(s, approximate), eye(24, undefined, "float64"))).item();
      expect(trace).toBeLessThan(before);
      before = trace;
    }
  });

  it("from right to left equals the explicit n x n product, for each normalisation", () => {
    const [q, v] = [normal([16, 5], 3), normal([16, 3], 4)];
    const scaled = mul(q, 5 ** -0.25);
    const tokens = matmul(averageOfWindows, scaled);
    const p = gaussianKernel(scaled, tokens);
    const a = gaussianKernel(tokens, tokens);
    const d = sum(a, { axis: -1 }).data();
    const root = f64([...d].map((x) => x ** -0.5));
    expect(Math.min(...d)).toBeGreaterThanOrEqual(1);
    const both = (x: Tensor) => mul(mul(x, root), root.reshape([4, 1]));
    const middle: Record<Normalization, Tensor> = {
      none: newtonPinv(a),
      symmetric: both(newtonPinv(a)),
      normalizedKernel: newtonPinv(both(a)),
    };
    for (const normalization of ["none", "symmetric", "normalizedKernel"] as const) {
      const explicit = matmul(matmul(matmul(p, middle[normalization]), t(p)), v);
      const y = softAttention(q, v, { grid: [4, 4], ratio: 2, normalization });
      expect(largestDifference(y, explicit)).toBeLessThan(1e-10);
    }
  });

  it("permutes its outputs when tokens and landmarks are permuted together", () => {
    const [q, v] = [normal([9, 4], 5), normal([9, 2], 6)];
    const order = [4, 0, 8, 2, 6, 1, 3, 7, 5];
    const at = [1, 4, 7];
    const landmarks = (indices: number[]): Bottleneck => ({
      kind: "tokens",
      indices: take([0, 1, 2, 3, 4, 5, 6, 7, 8], indices).cast("int32"),
    });
    const options = { grid: [3, 3] as const, ratio: 3 };
    const y = softAttention(q, v, { ...options, bottleneck: landmarks(at) });
    const moved = at.map((i) => order.indexOf(i));
    const permuted = softAttention(take(q, order), take(v, order), { ...options, bottleneck: landmarks(moved) });
    expect(largestDifference(permuted, take(y, order))).toBeLessThan(1e-11);
  });

  it("does not see a vector added to all queries", () => {
    const [q, v] = [normal([16, 4], 7), normal([16, 2], 8)];
    const shifted = add(q, normal([4], 9));
    for (const kind of ["pool", "strided"] as const) {
      const options = { grid: [4, 4] as const, ratio: 2, bottleneck: { kind } };
      expect(largestDifference(softAttention(shifted, v, options), softAttention(q, v, options))).toBeLessThan(1e-9);
    }
    expect(largestDifference(fullGaussianAttention(shifted, v), fullGaussianAttention(q, v))).toBeLessThan(1e-12);
  });

  it("treats heads and images alone, batched by hand or by vmap", () => {
    const [q, v] = [normal([2, 3, 16, 4], 10), normal([2, 3, 16, 4], 11)];
    const one = (a: Tensor, b: Tensor) => softAttention(a, b, { grid: [4, 4], ratio: 2, normalization: "symmetric" });
    const all = one(q, v);
    expect(largestDifference(all.slice([1, 2]), one(q.slice([1, 2]), v.slice([1, 2])))).toBeLessThan(1e-12);
    expect(largestDifference(vmap(vmap(one))(q, v) as Tensor, all)).toBeLessThan(1e-12);
  });

  it("has the gradients of finite differences, in queries, values and the bottleneck's parameters", () => {
    const [q, v] = [normal([1, 16, 3], 12), normal([1, 16, 2], 13)];
    const weight = normal([3, 3, 2, 2], 14, 0.5);
    const [scale, bias] = [normal([3], 15), normal([3], 16)];
    const pinv = { iterations: 40 };
    for (const normalization of ["none", "symmetric", "normalizedKernel"] as const) {
      const y = (a: Tensor, b: Tensor, w: Tensor, s: Tensor, c: Tensor) => {
        const bottleneck = { kind: "conv", weight: w, norm: { scale: s, bias: c } } as const;
        return weighed(softAttention(a, b, { grid: [4, 4], ratio: 2, bottleneck, normalization, pinv }));
      };
      const args: [Tensor, Tensor, Tensor, Tensor, Tensor] = [q, v, weight, scale, bias];
      args.forEach((x, argument) => {
        const f = (z: Tensor) => y(...(args.map((arg, i) => (i === argument ? z : arg)) as typeof args));
        const numeric = numericalGradient(f, x);
        expect(largestDifference(grad(f)(x) as Tensor, numeric)).toBeLessThan(1e-5 * largest(numeric));
      });
    }
  });

  it("has second derivatives", () => {
    const [q, v] = [normal([4, 2], 17), normal([4, 2], 18)];
    const f = (x: Tensor) => weighed(softAttention(x, v, { grid: [2, 2], ratio: 2, pinv: { iterations: 30 } }));
    const slope = (x: Tensor) => weighed(grad(f)(x) as Tensor);
    const numeric = numericalGradient(slope, q);
    expect(largestDifference(grad(slope)(q) as Tensor, numeric)).toBeLessThan(1e-5 * largest(numeric));
  });

  it("computes the same when it is compiled, backward included", async () => {
    const [q, v] = [normal([2, 16, 4], 19), normal([2, 16, 4], 20)];
    const f = (a: Tensor, b: Tensor) =>
      weighed(softAttention(a, b, { grid: [4, 4], ratio: 2, pinv: { start: "backtracking" } }));
    const compiled = await jit(grad(f))(q, v);
    expect(largestDifference(compiled as Tensor, grad(f)(q, v) as Tensor)).toBeLessThan(1e-10);
  });
});

/** Rows average the 2 x 2 windows of a 4 x 4 grid. */
const averageOfWindows = f64(
  Array.from({ length: 64 }, (_, i) => {
    const [window, cell] = [Math.floor(i / 16), i % 16];
    const [row, column] = [Math.floor(cell / 4), cell % 4];
    return Math.floor(row / 2) * 2 + Math.floor(column / 2) === window ? 0.25 : 0;
  }),
  [4, 16],
);

describe("bottlenecks", () => {
  const q = normal([2, 24, 3], 21);
  const v = eye(24, undefined, "float64");
  const values = concatenate([v.reshape([1, 24, 24]), v.reshape([1, 24, 24])], 0);
  const with_ = (bottleneck: Bottleneck, more: Partial<SoftAttentionOptions> = {}) =>
    softAttention(q, values, { grid: [4, 6], ratio: 2, bottleneck, ...more });

  it("conv is a convolution whose stride is its kernel, then layer normalisation and exact GELU", () => {
    const weight = normal([3, 3, 2, 2], 22);
    const norm = { scale: normal([3], 31), bias: normal([3], 32) };
    const explicit: Bottleneck = (x) => {
      const image = transpose(x.reshape([2, 4, 6, 3]), [0, 3, 1, 2]);
      const tokens = transpose(conv(image, weight, { strides: 2 }).reshape([2, 3, 6]), [0, 2, 1]);
      return special.gelu(layerNorm({ features: 3 }).apply(norm, tokens));
    };
    expect(largestDifference(with_({ kind: "conv", weight, norm }), with_(explicit))).toBeLessThan(1e-10);
    expect(() => with_({ kind: "conv", weight: normal([3, 3, 1, 2]), norm })).toThrow("it must be [3,3,2,2]");
  });

  it("strided takes the first token of each window, random others for other seeds, tokens those named", () => {
    const indices = take([0, 2, 4, 12, 14, 16], [0, 1, 2, 3, 4, 5]).cast("int32");
    expect(largestDifference(with_({ kind: "strided" }), with_({ kind: "tokens", indices }))).toBe(0);
    expect(largestDifference(with_({ kind: "random", seed: 1 }), with_({ kind: "random", seed: 1 }))).toBe(0);
    expect(largestDifference(with_({ kind: "random", seed: 1 }), with_({ kind: "random", seed: 2 }))).toBeGreaterThan(
      0.01,
    );
  });

  it("pool reaches over the edge when it is told to, and averages what is inside", () => {
    const x = normal([15, 2], 23);
    const pooled: Bottleneck = (y) => {
      const rows = [[0, 1, 5, 6], [2, 3, 7, 8], [4, 9], [10, 11], [12, 13], [14]];
      return concatenate(
        rows.map((r) => sum(take(y, r), { axis: 0, keepDims: true }).div(r.length)),
        0,
      );
    };
    const options = { grid: [3, 5] as const, ratio: 2, padBottleneck: true };
    expect(largestDifference(matrix(x, { ...options, bottleneck: pooled }), matrix(x, options))).toBeLessThan(1e-12);
    expect(() => matrix(x, { ...options, padBottleneck: false })).toThrow("does not divide the grid [3,5]");
  });

  it("adaptivePool equals pool where the grid divides, and keeps m elsewhere", () => {
    expect(largestDifference(with_(adaptivePool(2, 3)), with_({ kind: "pool" }))).toBeLessThan(1e-12);
    let m = 0;
    const counted: Bottleneck = (x, grid) => {
      const tokens = adaptivePool(3)(x, grid);
      m = tokens.shape[tokens.rank - 2];
      return tokens;
    };
    softAttention(normal([35, 2]), normal([35, 2]), { grid: [5, 7], ratio: 2, bottleneck: counted });
    expect(m).toBe(9);
    expect(() => with_(adaptivePool(5))).toThrow("5 parts of 4 cells");
  });

  it("sequences have windows of 1 x ratio", () => {
    const x = normal([12, 2], 24);
    const means: Bottleneck = (y) => y.reshape([4, 3, 2]).mean({ axis: 1 });
    const options = { grid: [1, 12] as const, ratio: 3 };
    expect(largestDifference(matrix(x, options), matrix(x, { ...options, bottleneck: means }))).toBeLessThan(1e-12);
  });
});

describe("refusals", () => {
  const q = normal([16, 4]);
  const options = { grid: [4, 4] as const, ratio: 2 };

  it.each([
    ["a grid of another size", () => softAttention(q, q, { ...options, grid: [4, 5] }), "20 cells for 16 tokens"],
    ["a ratio that does not divide", () => softAttention(q, q, { ...options, ratio: 3 }), "ratio 3 does not divide"],
    [
      "an option it does not know",
      () => softAttention(q, q, { ...options, bottlenecks: 3 } as never),
      'did you mean "bottleneck"?',
    ],
    ["a ratio below 1", () => softAttention(q, q, { ...options, ratio: 0 }), "ratio is 0"],
    ["negative steps", () => softAttention(q, q, { ...options, pinv: { iterations: -1 } }), "iterations is -1"],
    ["a negative ridge", () => softAttention(q, q, { ...options, pinv: { ridge: -1 } }), "ridge is -1"],
    ["a factor above 2", () => softAttention(q, q, { ...options, pinv: { factor: 3 } }), "factor is 3"],
    ["values of other tokens", () => softAttention(q, normal([8, 4]), options), "[..., n, outputs]"],
    [
      "a normalisation it does not know",
      () => softAttention(q, q, { ...options, normalization: "row" as "none" }),
      '"row"',
    ],
    [
      "a bottleneck it does not know",
      () => softAttention(q, q, { ...options, bottleneck: { kind: "max" } as never }),
      '"max"',
    ],
    [
      "a bottleneck that is a name alone",
      () => softAttention(q, q, { ...options, bottleneck: "pool" as never }),
      'bottleneck.kind is null; it must be one of "conv", "pool"',
    ],
    [
      "a learned bottleneck without parameters",
      () => softAttention(q, q, { ...options, bottleneck: { kind: "conv" } as never }),
      "a conv bottleneck needs its parameters: { kind, weight, norm }",
    ],
    [
      "texts for booleans",
      () => softAttention(q, q, { ...options, padBottleneck: "no" as never }),
      'padBottleneck is "no"; it must be one of true, false',
    ],
    ["parts of cells", () => adaptivePool(1.5), "rows is 1.5; it must be an integer >= 1"],
    [
      "to diagnose what is exact",
      () => attentionDiagnostics(q, { ...options, ratio: 1 }),
      "with ratio 1 the kernel is not approximated",
    ],
    [
      "a bottleneck that changes the features",
      () => softAttention(q, q, { ...options, bottleneck: (x) => x.slice([null, { stop: 2 }]) }),
      "only the tokens may change",
    ],
    [
      "NaN",
      () => softAttention(mul(q, Number.NaN), q, options),
      "queries holds NaN at position 0, which is not finite",
    ],
    ["infinity in the values", () => fullGaussianAttention(q, mul(q, Number.POSITIVE_INFINITY)), "values holds"],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe("attentionDiagnostics", () => {
  it("measures error, condition, residual and norm", () => {
    const q = normal([64, 4], 30, 0.8);
    const options = { grid: [8, 8] as const, ratio: 2 };
    const found = attentionDiagnostics(q, { ...options, full: true });
    const approximate = matrix(q, options);
    const s = fullGaussianAttention(q, eye(64, undefined, "float64"));
    const error = Math.sqrt(sum(sub(s, approximate).square()).item() / sum(s.square()).item());
    expect(found.kernelError).toBeCloseTo(error, 8);
    const symmetric = mul(add(approximate, t(approximate)), 0.5);
    expect(found.spectralNorm).toBeCloseTo(linalg.eigvalsh(symmetric).data()[63], 6);
    expect(found.residual).toBeLessThan(1);
    const tokens = matmul(averageOfWindows, mul(q.slice([{ stop: 16 }]), 4 ** -0.25));
    const small = attentionDiagnostics(q.slice([{ stop: 16 }]), { grid: [4, 4], ratio: 2, normalization: "symmetric" });
    const a = add(gaussianKernel(tokens, tokens), mul(eye(4, undefined, "float64"), 0.01));
    expect(small.condition).toBeCloseTo(linalg.cond(a).item(), 6);
    expect(small.kernelError).toBeUndefined();
  });
});
