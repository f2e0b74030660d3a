import { hypergradient, maSoba } from "@offprint/bilevel";
import { arange, asTensor, grad, random, type Tensor, take, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { quadraticBed } from "../claims/quadratic-bed.js";
import {
  bsvrb,
  joinBlocks,
  linearScores,
  multiBlockHypergradient,
  multiScaleLogistic,
  ndcg,
  ndcgProblem,
  rsvrb,
} from "../src/index.js";
import { curvedProblem } from "./problems.js";

const float64 = { dtype: "float64" } as const;

describe("multiBlockHypergradient and joinBlocks", () => {
  it("is the derivative of the mean over blocks of f at the lower solutions", async () => {
    const problem = curvedProblem(4);
    const x = tensor([0.3, -0.2, 0.5, 0.1], float64);
    const { gradient, y } = await multiBlockHypergradient(problem, x, { tolerance: 1e-12 });
    const slopes: number[] = [];
    for (let j = 0; j < 4; j++) {
      const at = async (t: number) => {
        const moved = tensor(x.data().map((v: number, i: number) => (i === j ? v + t : v)));
        return (await multiBlockHypergradient(problem, moved, { initial: y, tolerance: 1e-12 })).objective;
      };
      slopes.push(((await at(1e-4)) - (await at(-1e-4))) / 2e-4);
    }
    expectClose(gradient, slopes, 1e-6);
    const exact = await hypergradient(joinBlocks(problem), x, y, { solver: "exact" });
    expectClose(gradient, exact.gradient, 1e-8);
  });

  it("lets methods without blocks run, on sampled ones too", async () => {
    const bed = quadraticBed(random.rng(3), { blocks: 6, rows: 10, batch: "all" });
    const { x } = await maSoba(joinBlocks(bed.problem, { sampledBlocks: 3 }), {
      ...{ stepSize: 0.02, lowerStepSize: 0.1, linearStepSize: 0.1, maxIterations: 1500 },
    });
    expect(bed.error(x.data())).toBeLessThan(0.5);
  });
});

describe("rsvrb", () => {
  it("comes to the minimiser where all blocks and all data are sampled", async () => {
    const bed = quadraticBed(random.rng(3), { blocks: 4, rows: 10, batch: "all" });
    const { x } = await rsvrb(bed.problem, {
      ...{ stepSize: 0.3, lowerStepSize: 0.3, sampledBlocks: 4, maxIterations: 500 },
    });
    expect(bed.error(x.data())).toBeLessThan(0.05);
  });
});

describe("multiScaleLogistic", () => {
  const rng = random.rng(7);
  const part = (n: number) => ({
    inputs: rng.normal([n, 2], float64),
    labels: tensor(Float64Array.from({ length: n }, (_, i) => (i % 3 === 0 ? -1 : 1))),
  });
  const data = { train: part(9), validation: part(5) };
  const problem = multiScaleLogistic(data, { scales: [1, 2.5], weightDecay: 0.1 });

  it("has the second derivatives and the mixed product of the sheet", () => {
    const blocks = asTensor([1], "int32");
    const rows = asTensor([[0, 4, 4]], "int32");
    const p = rng.normal([9], float64);
    const [w, v] = [rng.normal([1, 3], float64), rng.normal([1, 3], float64)];
    const a = [0, 4, 4].map((i) => [1, ...take(data.train.inputs, i).data()]);
    const b = [0, 4, 4].map((i) => data.train.labels.data()[i]);
    const dotOf = (row: readonly number[], other: Tensor) =>
      row.reduce((total, value, j) => total + value * other.data()[j], 0);
    const sigmoidOf = (t: number) => 1 / (1 + Math.exp(-t));
    const product = new Float64Array(3);
    const mixed = new Float64Array(9);
    for (const [k, i] of [0, 4, 4].entries()) {
      const q = sigmoidOf((b[k] * dotOf(a[k], w)) / 2.5);
      const weight = sigmoidOf(p.data()[i]);
      for (let j = 0; j < 3; j++) product[j] += (weight * q * (1 - q) * a[k][j] * dotOf(a[k], v)) / 2.5 ** 2 / 3;
      mixed[i] -= (weight * (1 - weight) * (1 - q) * (b[k] / 2.5) * dotOf(a[k], v)) / 3;
    }
    for (let j = 0; j < 3; j++) product[j] += 0.1 * v.data()[j];
    const loss = (at: Tensor, rowsOf: Tensor) => problem.lower(at, rowsOf, blocks, rows).sum();
    const slope = (at: Tensor, rowsOf: Tensor) =>
      grad((b: Tensor) => loss(at, b))(rowsOf)
        .mul(v)
        .sum();
    expectClose(grad((b: Tensor) => slope(p, b))(w).reshape([3]), product, 1e-12);
    expectClose(grad((at: Tensor) => slope(at, w))(p), mixed, 1e-12);
  });

  it("learns, and has the same losses in a batch of all rows", async () => {
    const all = (problem.full as NonNullable<typeof problem.full>)(arange(2));
    const y = rng.normal([2, 3], float64);
    const margins = [0, 1].map((i) => problem.margins(take(y, i), data.validation.inputs).data());
    const losses = margins.map((m, i) => {
      const each = [...m].map((margin, k) =>
        Math.log1p(Math.exp((-data.validation.labels.data()[k] * margin) / [1, 2.5][i])),
      );
      return each.reduce((s, v) => s + v) / 5;
    });
    expectClose(problem.upper(problem.initial.x, y, arange(2), all.upper), losses, 1e-12);
    const { x } = await bsvrb(problem, { sampledBlocks: 1, stepSize: 1, lowerStepSize: 0.2, maxIterations: 20 });
    expect(x.shape).toEqual([9]);
  });

  it("names what is wrong", async () => {
    const make = (of: object, options = {}) =>
      failureOf(() => multiScaleLogistic({ ...data, ...of } as never, options));
    expect(await make({}, { scales: [] })).toEqual(errorLike("ValueError", /scales is empty/));
    expect(await make({ train: { inputs: [[1]], labels: [2] } })).toEqual(errorLike("ValueError", /label 2/));
    expect(await make({ train: { inputs: [[1]], labels: [1] } })).toEqual(errorLike("ShapeError", /columns/));
    expect(await make({ validation: undefined })).toEqual(errorLike("ValueError", /validation has no inputs/));
    const infinite = { inputs: [[1], [Number.POSITIVE_INFINITY]], labels: [1, 1] };
    expect(await make({ train: infinite })).toEqual(
      errorLike("ValueError", /train has Infinity in row 1, column 0 \(from 0\)/),
    );
  });
});

describe("ndcgProblem", () => {
  const rng = random.rng(8);
  const truth = [1, -1, 0.5];
  const query = (n: number) => {
    const items = rng.normal([n, 3], float64);
    const scores = items.matmul(tensor(truth, float64)).data();
    const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
    const relevance = new Float64Array(n);
    order.slice(0, 3).forEach((i, place) => (relevance[i] = 3 - place));
    return { items, relevance };
  };
  const queries = [0, 1, 2, 3].map(() => query(12));

  it("has lower solutions that are the smooth ranks and the K-th scores", async () => {
    const k = 4;
    const topK = { k, smoothing: 1e-2, strongConvexity: 1e-4 };
    const problem = ndcgProblem(queries, { batchSize: "all", topK });
    const w = tensor([0.4, 0.1, -0.2], float64);
    const { y } = await multiBlockHypergradient(problem, w, { tolerance: 1e-9 });
    const [pairs, items] = [problem.pairs.query.data(), problem.pairs.item.data()];
    for (let block = 0; block < problem.blocks; block += 5) {
      const scores = problem.score(w, queries[pairs[block]].items).data();
      const own = scores[items[block]];
      const hinge = [...scores].map((h) => Math.max(0, h - own + 1) ** 2).reduce((a, b) => a + b) / 12;
      const [u, lambda] = take(y, block).data();
      expect(u).toBeCloseTo(hinge, 8);
      const sorted = [...scores].sort((a, b) => b - a);
      expect(lambda).toBeGreaterThan(sorted[k] - 0.05);
      expect(lambda).toBeLessThan(sorted[k - 1] + 0.05);
    }
  });

  it("has at full batches minus a mean of gains over smooth ranks as its objective", async () => {
    const problem = ndcgProblem(queries, { batchSize: "all" });
    const w = tensor([0.4, 0.1, -0.2], float64);
    const { objective } = await multiBlockHypergradient(problem, w);
    let total = 0;
    for (const { items, relevance } of queries) {
      const scores = problem.score(w, items).data();
      const ideal = [3, 2, 1].reduce((sum, r, place) => sum + (2 ** r - 1) / Math.log2(2 + place), 0);
      for (const [i, r] of relevance.entries()) {
        if (r === 0) continue;
        const rank = [...scores].map((h) => Math.max(0, h - scores[i] + 1) ** 2).reduce((a, b) => a + b);
        total += (2 ** r - 1) / ideal / Math.log2(1 + rank);
      }
    }
    expect(objective).toBeCloseTo(-total / 4, 9);
  });

  it("makes rankings better", async () => {
    const problem = ndcgProblem(queries, { batchSize: 6 });
    const quality = (w: Tensor) =>
      queries.map(({ items, relevance }) => ndcg(problem.score(w, items), relevance, 3)).reduce((a, b) => a + b) / 4;
    const { x } = await bsvrb(problem, {
      sampledBlocks: 4,
      stepSize: 0.3,
      lowerStepSize: 0.1,
      alpha: 0.5,
      maxIterations: 400,
    });
    expect(quality(x)).toBeGreaterThan(0.9);
    expect(quality(tensor(truth, float64))).toBe(1);
    expect(quality(tensor([-1, 1, -0.5], float64))).toBeLessThan(0.2);
  });

  /** Queries whose items are ranked by a taste, with noise, in columns of any unit; better than chance is what learns it. */
  const tasted = (given: {
    count: number;
    size?: (q: number) => number;
    width?: number;
    unit?: (j: number) => number;
  }) => {
    const { count, size = () => 20, width = 3, unit = () => 1 } = given;
    const chance = random.rng(3);
    const likes = chance.normal([width], float64);
    return Array.from({ length: count }, (_, q) => {
      const plain = chance.normal([size(q), width], float64);
      const worth = plain
        .matmul(likes)
        .add(chance.normal([size(q)], float64).mul(0.3))
        .data();
      const order = [...worth.keys()].sort((a, b) => worth[b] - worth[a]);
      const relevance = Float64Array.from(worth, (_, i) => Math.max(0, 3 - order.indexOf(i)));
      const units = Float64Array.from({ length: width }, (_, j) => unit(j));
      return { items: plain.mul(tensor(units)).add(tensor(units)), relevance };
    });
  };
  const learnt = async (given: readonly { items: Tensor; relevance: Float64Array }[]) => {
    const problem = ndcgProblem(given, { batchSize: 16 });
    const steps = { sampledBlocks: 5, maxIterations: 10 * problem.blocks };
    const { x, history } = await bsvrb(problem, steps);
    const each = given.map(({ items, relevance }) => ndcg(problem.score(x, items), relevance, 5));
    return { quality: each.reduce((a, b) => a + b) / each.length, norms: history.map((h) => h.hypergradientNorm) };
  };

  it("learns with its own steps from queries of any number, size, width and unit", async () => {
    for (const given of [
      { count: 5 },
      { count: 60 },
      { count: 40, size: (q: number) => 3 + ((37 * q) % 150) },
      { count: 30, width: 46, size: () => 40 },
      { count: 5, unit: (j: number) => 10 ** (3 * j - 3) },
    ]) {
      const { quality, norms } = await learnt(tasted(given));
      expect(quality).toBeGreaterThan(0.9);
      expect(Math.max(...norms)).toBeLessThan(0.5);
    }
  });

  it("comes to the same in any unit", async () => {
    const [plain, far] = [await learnt(tasted({ count: 8 })), await learnt(tasted({ count: 8, unit: () => 1e6 }))];
    expectClose(far.norms, plain.norms, { ofLargest: 1e-6 });
    expect(far.quality).toBeCloseTo(plain.quality, 12);
  });

  it("gives weights of the items' own columns", () => {
    const items = [
      [1, 200],
      [3, 100],
      [2, 600],
    ];
    const model = linearScores(items);
    const w = tensor([0.3, -2], float64);
    const [scores, plain] = [model.apply(w, tensor(items, float64)), tensor(items, float64).matmul(model.weights(w))];
    expectClose(scores.sub(take(scores, 0)), plain.sub(take(plain, 0)), 1e-12);
    expect(() => linearScores([])).toThrow(errorLike("ShapeError", /give \[N, p\]/));
    expect(() => linearScores([[Number.NaN]])).toThrow(errorLike("ValueError", /NaN in row 0/));
  });

  it("names what is wrong", async () => {
    const make = (of: unknown, options = {}) => failureOf(() => ndcgProblem(of as never, options));
    expect(await make([query(3)], { seed: 1 })).toEqual(
      errorLike("ValueError", /seed is of a model of your own, and linear scores begin with 0; leave it out/),
    );
    expect(await make([])).toEqual(errorLike("ValueError", /no queries/));
    expect(await make([{ items: [[1]], relevance: [0] }])).toEqual(
      errorLike("ValueError", /no query has a relevant item/),
    );
    expect(await make([{ items: [[1]], relevance: [1, 2] }])).toEqual(errorLike("ShapeError", /query 0/));
    expect(await make([query(3), query(4)], { batchSize: "all" })).toEqual(
      errorLike("ValueError", /different numbers/),
    );
    expect(await make([null])).toEqual(errorLike("ValueError", /query 0 has no items and relevance/));
    expect(await make(queries, { model: 3 })).toEqual(
      errorLike("ValueError", /model: init is undefined; give a function/),
    );
    expect(await make(queries, { topK: { k: 0 } })).toEqual(errorLike("ValueError", /k is 0/));
    expect(await make([{ items: [[1], [Number.NaN]], relevance: [1, 0] }])).toEqual(
      errorLike("ValueError", /query 0 has NaN in row 1, column 0/),
    );
    expect(await make([{ items: [[1]], relevance: [2000] }])).toEqual(errorLike("ValueError", /the relevance 2000/));
    expect(await make([query(3), { items: [[1]], relevance: [1] }])).toEqual(
      errorLike("ShapeError", /items have \d columns in query 0, 1 in query 1/),
    );
  });

  it("has no NDCG for scores that are NaN, nor of numbers out of range", () => {
    expect(() => ndcg([0, Number.NaN], [1, 0])).toThrow(/score 1 \(from 0\) is NaN/);
    expect(() => ndcg([0, 1], [1, Number.NaN])).toThrow(/the relevance NaN/);
    expect(() => ndcg([0, 1], [1, 0], -1)).toThrow(/k is -1/);
    expect(() => ndcg([[0, 1]], [[1, 0]])).toThrow(
      /scores have shape \[1,2\], relevance \[1,2\]; give \[N\] and \[N\]/,
    );
    expect(() => ndcg([0, 1], [1])).toThrow(/scores have shape \[2\], relevance \[1\]/);
  });
});

describe("foreign queries", () => {
  /** Queries of as many items as there are, in any unit, whose grades follow a hidden taste with noise. */
  const foreign = (set: number, count: number, most: number, features: number, unit: number) => {
    const taste = random.rng(`taste ${set}`).normal([features], { dtype: "float64", std: 1 / Math.sqrt(features) });
    const queries = Array.from({ length: count }, (_, q) => {
      const rng = random.rng(`query ${set} ${q}`);
      const size = rng.randint([], { low: 3, high: most }).item();
      const items = rng.normal([size, features], { dtype: "float64" });
      const liking = items.matmul(taste).add(rng.normal([size], { dtype: "float64", std: 0.3 }));
      const relevance = Float64Array.from(liking.data(), (v) => Math.max(0, Math.min(4, Math.floor(2 * v))));
      return { items: items.mul(unit), relevance };
    });
    return { taste, queries: queries.filter(({ relevance }) => relevance.some((r) => r > 0)) };
  };

  it.each([
    [3, 20, 2, 1],
    [8, 60, 5, 10],
    [15, 100, 10, 0.1],
    [6, 200, 30, 1],
    [20, 50, 3, 100],
    [12, 400, 5, 1],
  ])(
    "%i of up to %i items with %i features in units of %f are ranked by the defaults almost as by the taste itself",
    async (count, most, features, unit) => {
      const { taste, queries } = foreign(count, count, most, features, unit);
      const quality = (score: (items: Tensor) => Tensor) =>
        queries.reduce((sum, { items, relevance }) => sum + ndcg(score(items), relevance, 5), 0) / queries.length;
      const best = quality((items) => items.matmul(taste));
      for (const topK of [undefined, { k: 5 }]) {
        const problem = ndcgProblem(queries, topK === undefined ? {} : { topK });
        const sampledBlocks = Math.min(20, problem.blocks);
        const maxIterations = Math.ceil((50 * problem.blocks) / sampledBlocks);
        const { x } = await bsvrb(problem, { sampledBlocks, maxIterations });
        expect(quality((items) => problem.score(x, items))).toBeGreaterThan(best - 0.1);
      }
    },
  );
});
