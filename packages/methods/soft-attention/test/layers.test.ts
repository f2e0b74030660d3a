import { largestDifference } from "@offprint/claims";
import { layerNorm, sequential } from "@offprint/nn";
import {
  add,
  grad,
  jit,
  random,
  reshape,
  special,
  sum,
  type Tensor,
  trace,
  transpose,
  tree,
} from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  attentionLayer,
  attentions,
  fullGaussianHeads,
  type Grid,
  type HeadAttention,
  localBranch,
  softAttention,
  softAttentionLayer,
  softBlock,
  softHeads,
  softSequenceAttention,
  softSequenceBlock,
  transformerBlock,
} from "../src/index.js";
import { largest } from "./comparison.js";

const normal = (shape: readonly number[], seed: number | string = 0) =>
  random.rng(`layers/${seed}`).normal([...shape], { dtype: "float64" });
const rng = () => random.rng("layers");
const grid: Grid = [4, 6];
const wide = <P>(params: P) => tree.map((x: Tensor | null) => x?.cast("float64") ?? null, params) as P;

describe("localBranch", () => {
  it("equals an explicit loop", () => {
    const [batch, heads, features, k] = [2, 3, 2, 3];
    const [v, w] = [normal([batch, heads, 24, features], 1), normal([heads, 1, k, k], 2)];
    const y = localBranch(v, w, grid);
    for (const [b, h, row, column, f] of [
      [0, 0, 0, 0, 0],
      [1, 2, 3, 5, 1],
      [0, 1, 2, 3, 1],
      [1, 0, 0, 4, 0],
    ]) {
      let expected = 0;
      for (let i = -1; i <= 1; i++) {
        for (let j = -1; j <= 1; j++) {
          const [r, c] = [row + i, column + j];
          if (r < 0 || r >= 4 || c < 0 || c >= 6) continue;
          expected += v.slice([b, h, r * 6 + c, f]).item() * w.slice([h, 0, i + 1, j + 1]).item();
        }
      }
      expect(y.slice([b, h, row * 6 + column, f]).item()).toBeCloseTo(expected, 12);
    }
    expect(() => localBranch(v, normal([3, 1, 2, 2]), grid)).toThrow("odd k");
    expect(() => localBranch(v, w, [5, 5])).toThrow("25 cells for 24 tokens");
  });
});

describe("softAttentionLayer", () => {
  it("is projections around softAttention, plus the local branch", () => {
    const layer = softAttentionLayer({ dim: 8, heads: 2, ratio: 2, localConv: 3, normalization: "symmetric" });
    const params = layer.init(rng(), "float64");
    const x = normal([2, 24, 8], 3);
    const project = (p: any, y: Tensor) => add(y.matmul(p.weight), p.bias);
    const split = (y: Tensor) => transpose(reshape(y, [2, 24, 2, 4]), [0, 2, 1, 3]);
    const [q, v] = [split(project(params.query, x)), split(project(params.value, x))];
    const options = {
      grid,
      ratio: 2,
      normalization: "symmetric",
      bottleneck: { kind: "conv", ...params.attention! },
    } as const;
    const joined = add(softAttention(q, v, options), localBranch(v, params.local as Tensor, grid));
    const expected = project(params.output, reshape(transpose(joined, [0, 2, 1, 3]), [2, 24, 8]));
    expect(largestDifference(layer.apply(params, x, grid), expected)).toBeLessThan(1e-12);
    expect(params.key).toBeNull();
    expect(largest(params.query.bias as Tensor)).toBe(0);
    expect(largest(params.query.weight)).toBeLessThanOrEqual(0.04);
  });

  it("keeps heads apart without a local branch and with pooling", () => {
    const layer = softAttentionLayer({ dim: 6, heads: 3, ratio: 2, bottleneck: "pool" });
    const params = layer.init(rng(), "float64");
    const identity = Array.from({ length: 6 }, (_, i) => Array.from({ length: 6 }, (__, j) => (i === j ? 1 : 0)));
    const weight = normal([6, 6]).mul(0).add(identity);
    const open = { ...params, query: { weight }, value: { weight }, output: { weight } };
    const x = normal([1, 24, 6], 4);
    const headOnly = (y: Tensor) => y.slice([null, null, { stop: 2 }]);
    const changed = add(x, normal([1, 24, 6], 5).mul([0, 0, 1, 1, 1, 1]));
    expect(largestDifference(headOnly(layer.apply(open, changed, grid)), headOnly(layer.apply(open, x, grid)))).toBe(0);
  });

  it("learns: gradients reach every parameter, eager and compiled alike", async () => {
    const block = softBlock({ dim: 8, heads: 2, ratio: 2, localConv: 3 });
    const params = block.init(rng(), "float64");
    const x = normal([1, 24, 8], 6);
    const target = normal([1, 24, 8], 7);
    const loss = (p: any, y: Tensor) => sum(block.apply(p, y, grid).sub(target).square());
    const gradients: any = grad(loss)(params, x);
    for (const g of [gradients.attention.attention.weight, gradients.attention.local, gradients.linear1.weight]) {
      expect(largest(g)).toBeGreaterThan(0);
    }
    const compiled: any = await jit(grad(loss))(params, x);
    expect(largestDifference(compiled.attention.attention.weight, gradients.attention.attention.weight)).toBeLessThan(
      1e-9,
    );
  });

  it("takes other random landmarks in a compiled function", async () => {
    const layer = softAttentionLayer({ dim: 4, heads: 1, ratio: 2, bottleneck: "random" });
    const params = layer.init(rng());
    const x = normal([1, 24, 4], 8).cast("float32");
    const run = jit((y: Tensor, landmarks: Tensor) => layer.apply(params, y, grid, landmarks));
    const draw = (seed: number) =>
      random
        .rng(seed)
        .permutation(24)
        .slice([{ stop: 6 }]);
    const [a, b] = [await run(x, draw(1)), await run(x, draw(2))];
    expect(largestDifference(a, b)).toBeGreaterThan(0);
    // Compiled sums are in another order. Rounding of A to float32 moves its inverse by its condition times epsilon, and
    // the condition of A + ridge I is at most (m + ridge) / ridge, as A is positive semidefinite with trace m.
    const exact = layer.apply(wide(params), x.cast("float64"), grid, draw(1));
    const bound = ((6 + 0.01) / 0.01) * 2 ** -23 * largest(exact);
    expect(bound).toBeLessThan(1e-6);
    expect(largestDifference(a, exact)).toBeLessThan(bound);
    expect(largestDifference(layer.apply(params, x, grid, draw(1)), exact)).toBeLessThan(bound);
  });

  it("refuses what does not fit", () => {
    expect(() => softAttentionLayer({ dim: 9, heads: 2, ratio: 2 })).toThrow("must divide dim 9");
    expect(() => softAttentionLayer({ dim: 8, heads: 2, ratio: 2, localConv: 2 })).toThrow("localConv is 2");
    expect(() => softAttentionLayer({ dim: 8, heads: 0, ratio: 2 })).toThrow("heads is 0");
    expect(() => softAttentionLayer({ dim: 8, heads: 2, ratio: 2, bottleneck: "max" as "pool" })).toThrow('"max"');
    expect(() => softBlock({ dim: 8, heads: 2, ratio: 2, blocksize: 3 } as never)).toThrow('softBlock: there is no option "blocksize"'); // biome-ignore format: one line
    expect(() => softSequenceAttention({ dim: 8, head: 2, ratio: 2 } as never)).toThrow('did you mean "heads"?');
    expect(() => attentions.performer({ features: 4, randomfeatures: 9 } as never)).toThrow('did you mean "randomFeatures"?'); // biome-ignore format: one line
    const more = (change: object) => () => softAttentionLayer({ dim: 8, heads: 2, ratio: 2, ...change } as never);
    expect(more({ sequence: "no" })).toThrow('sequence is "no"; it must be one of true, false');
    expect(more({ weightInit: 3 })).toThrow("weightInit");
    expect(() => fullGaussianHeads({ normalization: "row" as never })).toThrow('normalization is "row"');
    const layer = softAttentionLayer({ dim: 8, heads: 2, ratio: 2 });
    expect(() => layer.apply(layer.init(rng()), normal([1, 24, 4]), grid)).toThrow("[batch, n, 8]");
    expect(() => layer.apply(layer.init(rng()), normal([1, 24, 8]), [4, 4])).toThrow("16 cells");
  });
});

describe("transformerBlock", () => {
  it("normalises after each sum, with the tanh form of GELU, and takes dropout masks", () => {
    const block = transformerBlock({
      dim: 4,
      attention: attentionLayer({ dim: 4, heads: 2, attention: attentions.softmax() }),
    });
    const params = block.init(rng(), "float64");
    const attention = attentionLayer({ dim: 4, heads: 2, attention: attentions.softmax() });
    const norm = layerNorm({ features: 4 });
    const x = normal([2, 24, 4], 9);
    const masks = { attention: normal([2, 24, 4], 10), feedForward: normal([2, 24, 4], 11) };
    const h = norm.apply(params.norm1, add(x, attention.apply(params.attention, x, grid).mul(masks.attention)));
    const inner = special.gelu(add(h.matmul(params.linear1.weight), params.linear1.bias as Tensor), {
      approximate: true,
    });
    const outer = add(inner.matmul(params.linear2.weight), params.linear2.bias as Tensor);
    const expected = norm.apply(params.norm2, add(h, outer.mul(masks.feedForward)));
    expect(largestDifference(block.apply(params, x, grid, undefined, masks), expected)).toBeLessThan(1e-12);
  });
});

describe("sequences", () => {
  it("of any length go through layers that stack", () => {
    const model = sequential(
      softSequenceAttention({ dim: 8, heads: 2, ratio: 4, localConv: 3 }),
      softSequenceBlock({ dim: 8, heads: 2, ratio: 4, normalization: "symmetric" }),
    );
    const params = model.init(rng());
    expect(params[0].attention!.weight.shape).toEqual([4, 4, 1, 4]);
    expect(params[0].local?.shape).toEqual([2, 1, 1, 3]);
    for (const n of [16, 19, 3]) expect(model.apply(params, random.rng(1).normal([2, n, 8])).shape).toEqual([2, n, 8]);
    expect(() => model.apply(params, [1, 2])).toThrow("[batch, n, dim]");
  });
});

describe("the attentions with one signature", () => {
  const [n, features] = [24, 4];
  const all: Record<string, HeadAttention> = {
    soft: softHeads({ features, ratio: 2 }),
    "soft, pooled": softHeads({ features, ratio: 2, bottleneck: "pool", normalization: "normalizedKernel" }),
    "soft, strided": softHeads({ features, ratio: 2, bottleneck: "strided" }),
    "full kernel": fullGaussianHeads({ normalization: "symmetric" }),
    softmax: attentions.softmax(),
    linformer: attentions.linformer({ tokens: n, projected: 6 }),
    performer: attentions.performer({ features, randomFeatures: 64 }),
    nystromformer: attentions.nystromformer({ ratio: 2 }),
    linear: attentions.linear(),
  };
  const head = (seed: number) => normal([2, 3, n, features], seed).mul(0.5);
  const inputs = { query: head(12), key: head(13), value: head(14), grid };

  it.each(Object.keys(all))("%s traces, differentiates and keeps the shape", (name) => {
    const attention = all[name];
    const params = attention.init(rng(), "float64");
    const y = attention.apply(params, inputs);
    expect(y.shape).toEqual([2, 3, n, features]);
    const loss = (query: Tensor) => sum(attention.apply(params, { ...inputs, query }).square());
    expect(Number.isFinite(largest(grad(loss)(inputs.query) as Tensor))).toBe(true);
    expect(() => trace(loss, inputs.query)).not.toThrow();
  });

  it("Performer and Nystromformer come near softmax, linear attention keeps constants, Linformer wants its n", () => {
    const softmax = all.softmax.apply(null, inputs);
    const performer = attentions.performer({ features, randomFeatures: 4000 });
    expect(largestDifference(performer.apply(null, inputs), softmax)).toBeLessThan(0.1 * largest(softmax));
    const exact = attentions
      .nystromformer({ ratio: 1 })
      .apply(null, { ...inputs, query: inputs.query.mul(3), key: inputs.key.mul(3) });
    expect(exact.shape).toEqual(softmax.shape);
    const one = { ...inputs, value: inputs.value.mul(0).add(2) };
    for (const name of ["linear", "performer", "softmax"]) {
      expect(largestDifference(all[name].apply(null, one), one.value)).toBeLessThan(1e-10);
    }
    const short = { ...inputs, key: head(15).slice([null, null, { stop: 8 }]) };
    expect(() => all.linformer.apply(all.linformer.init(rng(), "float64"), short)).toThrow("made for 24");
  });

  it("SOFT never makes an n x n value, softmax does", () => {
    const large = normal([1, 1, 4096, 4]).cast("float32");
    const sizes = (attention: HeadAttention) =>
      trace((query: Tensor) => attention.apply(null, { query, key: query, value: query, grid: [64, 64] }), large)
        .equations.flatMap((e) => e.outputs)
        .map((v) => v.shape.reduce((a, b) => a * b, 1));
    const soft = softHeads({ features: 4, ratio: 8, bottleneck: "pool" });
    expect(Math.max(...sizes(soft))).toBe(4096 * 64);
    expect(Math.max(...sizes(attentions.softmax()))).toBe(4096 * 4096);
  });
});
