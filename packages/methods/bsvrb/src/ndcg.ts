import type { Learner, MultiBlockBilevelProblem } from "@offprint/bilevel";
import { asVariables } from "@offprint/solvers";
import {
  add,
  arange,
  asTensor,
  broadcastTo,
  checkOptions,
  concatenate,
  div,
  log1p,
  maximum,
  mean,
  mul,
  type Rng,
  random,
  requireFunction,
  requireInteger,
  requirePositive,
  ShapeError,
  sigmoid,
  special,
  square,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { requireFiniteRows } from "./finite-rows.js";
import { linearScores } from "./linear-scores.js";

/** A query with its items. */
export interface RankedQuery {
  /** `[N, p]`, what the model sees of each item. */
  readonly items: TensorLike;
  /** `[N]`, >= 0; 0 for items that are not relevant. */
  readonly relevance: TensorLike;
}

/** The smooth choice of the best K items. */
export interface TopK {
  /** How many items count. */
  readonly k: number;
  /** tau_1 > 0: how smooth the K-th score is. Default 1e-3. */
  readonly smoothing?: number;
  /** tau_2 > 0: strong convexity of the problem that it solves. Default 1e-4. */
  readonly strongConvexity?: number;
  /** c_sigma: factor of an item's weight. Default 2. */
  readonly weight?: number;
  /** alpha_sigma: how steeply the weight grows with the score above the K-th. Default 2. */
  readonly steepness?: number;
}

/** Options of {@link ndcgProblem}. */
export interface NdcgOptions<P> {
  /** Scores of items `[..., p]` to `[...]` or `[..., 1]`. Default {@link linearScores} of all items. */
  readonly model?: Learner<P>;
  /** c > 0: the margin of the squared hinge that stands for "is ranked above". Default 1. */
  readonly margin?: number;
  /** B: items that each pair draws of its query; `"all"` for every item, where all queries have equally many. Default 32. */
  readonly batchSize?: number | "all";
  /** NDCG of the best K items. Default of all. */
  readonly topK?: TopK;
  /** Decides the parameters that a `model` of your own begins with; refused without one. Default 0. */
  readonly seed?: number | string;
}

/** A ranking problem. */
export interface NdcgProblem<P> extends MultiBlockBilevelProblem<P, null, Tensor> {
  /** The query and the item of each block, int32 `[m]` each. */
  readonly pairs: { readonly query: Tensor; readonly item: Tensor };
  /** The scores of items. */
  score(params: P, items: TensorLike): Tensor;
}

/**
 * Learning to rank by NDCG. A block is a query q with a relevant item i: its lower problem tracks the mean squared hinge
 * `g_i = (1 / N_q) sum_j max(0, h_j - h_i + c)^2`, a smooth rank over N_q, and its upper function is
 * `-(2^r_i - 1) / (Z_q log2(1 + N_q u_i))`, weighed so that the mean over blocks is that over queries. With `topK` it also finds
 * the K-th largest score of its query, lambda, and the gain is weighed by `c_sigma sigmoid(alpha_sigma (h_i - lambda))`.
 * @throws ShapeError, ValueError for queries and options that are none.
 */
export function ndcgProblem<P = Tensor>(queries: readonly RankedQuery[], options: NdcgOptions<P> = {}): NdcgProblem<P> {
  const owner = "ndcgProblem";
  checkOptions(owner, options, ["model", "margin", "batchSize", "topK", "seed"]);
  const { margin = 1, batchSize = 32, topK, seed = 0 } = options;
  if (options.model === undefined && options.seed !== undefined) {
    throw new ValueError(
      `${owner}: seed is of a model of your own, and linear scores begin with 0; leave it out, or give model`,
    );
  }
  requirePositive(owner, "margin", margin);
  if (batchSize !== "all") requireInteger(owner, "batchSize", batchSize, 1);
  const table = new QueryTable(owner, queries);
  const top = topK === undefined ? undefined : readTopK(owner, topK);
  if (batchSize === "all" && new Set(table.sizes).size > 1) {
    throw new ValueError(`${owner}: batchSize is "all", and queries have different numbers of items; give a number`);
  }
  const model = (options.model ?? linearScores(table.items)) as Learner<P>;
  for (const name of ["init", "apply"] as const) requireFunction(`${owner}: model`, name, model?.[name]);
  const score = (params: P, items: Tensor) => {
    const scores = model.apply(params, items);
    return scores.rank === items.rank ? scores.reshape(items.shape.slice(0, -1)) : scores;
  };
  const { pairs, sizes } = table;
  const own = (params: P, blocks: Tensor) => score(params, take(table.items, take(table.itemRow, blocks)));
  const first = (y: Tensor, column: number) => take(y, [column], { axis: 1 }).reshape([y.shape[0]]);
  const count = pairs.item.size;
  const columns = top === undefined ? 1 : 2;
  const everyItem = (blocks: Tensor) =>
    add(
      take(table.firstRow, blocks).reshape([-1, 1]),
      broadcastTo(arange(sizes[0]).reshape([1, -1]), [blocks.size, sizes[0]]),
    );
  return {
    blocks: count,
    pairs,
    score: (params, items) => score(params, asTensor(items, "float64")),
    initial: {
      x: asVariables(model.init(random.rng(seed), "float64")),
      // The mean squared hinge of equal scores, and their K-th.
      y: broadcastTo(asTensor(top === undefined ? [margin ** 2] : [margin ** 2, 0], "float64"), [count, columns]),
    },
    upper(params, y, blocks) {
      const size = take(table.sizeOf, blocks);
      // What u tracks is at least c^2 / N, as an item meets itself; half of that keeps the logarithm away from zero.
      const rank = maximum(mul(size, first(y, 0)), margin ** 2 / 2);
      const gain = div(mul(take(table.gain, blocks), Math.LN2), log1p(rank));
      if (top === undefined) return mul(gain, -1);
      const above = sub(own(params, blocks), first(y, 1));
      return mul(mul(gain, sigmoid(mul(above, top.steepness))), -top.weight);
    },
    lower(params, y, blocks, rows) {
      const [mine, others] = [own(params, blocks), score(params, take(table.items, rows))];
      const hinge = square(maximum(add(sub(others, mine.reshape([-1, 1])), margin), 0));
      const tracking = mul(square(sub(first(y, 0), mean(hinge, 1))), 0.5);
      if (top === undefined) return tracking;
      const { k, smoothing, strongConvexity } = top;
      const lambda = first(y, 1);
      const share = div(k, take(table.sizeOf, blocks));
      const over = special.softplus(div(sub(others, lambda.reshape([-1, 1])), smoothing));
      const quantile = add(mul(share, lambda), mul(square(lambda), strongConvexity / 2));
      // The factor leaves the solution as it is, and lets it curve as much as the tracking, 1 at most.
      return add(tracking, mul(add(quantile, mul(mean(over, 1), smoothing)), 4 * smoothing));
    },
    ...(batchSize === "all"
      ? { full: (blocks: Tensor) => ({ upper: null, lower: everyItem(blocks) }) }
      : {
          sample: (rng: Rng, blocks: Tensor) => ({ upper: null, lower: table.draw(rng, blocks, batchSize) }),
        }),
  };
}

/** The items of all queries in one table, and the pairs. */
class QueryTable {
  /** `[items, p]` */
  readonly items: Tensor;
  /** Of each query. */
  readonly sizes: number[] = [];
  /** Of each pair, `[m]`: its item's row, its query's first row and number of items, and its share of the ideal gain. */
  readonly itemRow: Tensor;
  readonly firstRow: Tensor;
  readonly sizeOf: Tensor;
  readonly gain: Tensor;
  readonly pairs: { readonly query: Tensor; readonly item: Tensor };
  private readonly plain: { readonly first: number[]; readonly size: number[] };

  constructor(owner: string, queries: readonly RankedQuery[]) {
    if (!Array.isArray(queries) || queries.length === 0) {
      throw new ValueError(`${owner}: there are no queries; give [{ items, relevance }, ...]`);
    }
    const parts: Tensor[] = [];
    const [query, item, gain]: number[][] = [[], [], []];
    const plain = { first: [] as number[], size: [] as number[] };
    let rows = 0;
    for (const [q, ranked] of queries.entries()) {
      if (ranked?.items === undefined || ranked.relevance === undefined) {
        throw new ValueError(`${owner}: query ${q} has no items and relevance; give { items: [N, p], relevance: [N] }`);
      }
      const { items: given, relevance } = ranked;
      const [items, grades] = [asTensor(given, "float64"), asTensor(relevance, "float64")];
      if (items.rank !== 2 || grades.rank !== 1 || grades.size !== items.shape[0]) {
        throw new ShapeError(
          `${owner}: query ${q} has items [${items.shape}] and relevance [${grades.shape}]; give [N, p] and [N]`,
        );
      }
      if (items.shape[1] !== (parts[0] ?? items).shape[1]) {
        throw new ShapeError(
          `${owner}: items have ${parts[0]?.shape[1]} columns in query 0, ${items.shape[1]} in query ${q}`,
        );
      }
      requireFiniteRows(owner, `query ${q}`, items);
      const values = [...grades.data()];
      requireGrades(owner, `query ${q} has`, values);
      const ideal = values
        .filter((r) => r > 0)
        .sort((a, b) => b - a)
        .reduce((total, r, place) => total + (2 ** r - 1) / Math.log2(2 + place), 0);
      for (const [i, r] of values.entries()) {
        if (r === 0) continue;
        query.push(q);
        item.push(i);
        gain.push((2 ** r - 1) / ideal);
        plain.first.push(rows);
        plain.size.push(values.length);
      }
      parts.push(items);
      this.sizes.push(values.length);
      rows += values.length;
    }
    if (item.length === 0) throw new ValueError(`${owner}: no query has a relevant item; there is nothing to rank`);
    this.plain = plain;
    this.items = concatenate(parts, 0);
    const whole = (values: number[]) => asTensor(Int32Array.from(values), "int32");
    this.pairs = { query: whole(query), item: whole(item) };
    this.firstRow = whole(plain.first);
    this.itemRow = whole(plain.first.map((first, k) => first + item[k]));
    this.sizeOf = tensor(plain.size, { dtype: "float64" });
    // Blocks are averaged over pairs, NDCG over queries.
    this.gain = tensor(
      gain.map((g) => (g * item.length) / queries.length),
      { dtype: "float64" },
    );
  }

  /** Rows of items of each pair's query, drawn with replacement, `[count, size]`. */
  draw(rng: Rng, blocks: Tensor, size: number): Tensor {
    const numbers = blocks.data();
    const chances = rng.uniform([blocks.size, size], { dtype: "float64" }).data();
    const { first, size: sizes } = this.plain;
    const rows = new Int32Array(chances.length);
    for (let pair = 0, at = 0; pair < numbers.length; pair++) {
      const block = numbers[pair];
      for (const end = at + size; at < end; at++) rows[at] = first[block] + Math.floor(chances[at] * sizes[block]);
    }
    return asTensor(rows, "int32").reshape([blocks.size, size]);
  }
}

function readTopK(owner: string, topK: TopK): Required<TopK> {
  checkOptions(`${owner}: topK`, topK, ["k", "smoothing", "strongConvexity", "weight", "steepness"]);
  const { k, smoothing = 1e-3, strongConvexity = 1e-4, weight = 2, steepness = 2 } = topK;
  requireInteger(`${owner}: topK`, "k", k, 1);
  for (const [name, value] of Object.entries({ smoothing, strongConvexity, weight, steepness })) {
    requirePositive(`${owner}: topK`, name, value);
  }
  return { k, smoothing, strongConvexity, weight, steepness };
}

/** @throws ValueError for a relevance below 0, NaN, or one whose gain overflows. */
function requireGrades(owner: string, what: string, relevance: ArrayLike<number>): void {
  const wrong = Array.from(relevance).find((r) => !(r >= 0 && r <= 1000));
  if (wrong === undefined) return;
  throw new ValueError(
    `${owner}: ${what} the relevance ${wrong}; it must be from 0 to 1000, as 2^relevance is the gain`,
  );
}

/**
 * NDCG of scores: the discounted gain of a ranking over that of the best one, 1 at most; of the first k items where k is given.
 * @param scores - `[N]`
 * @param relevance - `[N]`, >= 0
 * @param k - >= 1
 * @throws ShapeError, ValueError for a score that is NaN, which has no place in a ranking, and for what is out of range.
 */
export function ndcg(scores: TensorLike, relevance: TensorLike, k = Number.POSITIVE_INFINITY): number {
  const given = [asTensor(scores, "float64"), asTensor(relevance, "float64")];
  const [s, r] = given.map((values) => values.data());
  if (s.length !== r.length || given.some(({ rank }) => rank !== 1))
    throw new ShapeError(
      `ndcg: scores have shape [${given[0].shape}], relevance [${given[1].shape}]; give [N] and [N]`,
    );
  const unplaced = s.findIndex((score: number) => Number.isNaN(score));
  if (unplaced >= 0) throw new ValueError(`ndcg: score ${unplaced} (from 0) is NaN; a ranking needs numbers`);
  requireGrades("ndcg", "there is", r);
  if (k !== Number.POSITIVE_INFINITY) requireInteger("ndcg", "k", k, 1);
  const gain = (order: readonly number[]) =>
    order.slice(0, k).reduce((total, i, place) => total + (2 ** r[i] - 1) / Math.log2(2 + place), 0);
  const items = [...s.keys()];
  const best = gain([...items].sort((a, b) => r[b] - r[a]));
  return best === 0 ? 0 : gain([...items].sort((a, b) => s[b] - s[a])) / best;
}
