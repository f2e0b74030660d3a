import { type BilevelRecord, msvrGamma } from "@offprint/bilevel";
import { defineCommand, holdOut, holdoutOption, option, seedOption, stateOptions } from "@offprint/commands";
import { Table, writeCsv } from "@offprint/data";
import { arange, concatenate, type Tensor, zerosLike } from "@offprint/tensor-core";
import { type BsvrbState, bsvrb, linearScores, ndcg, ndcgProblem, type RankedQuery } from "../src/index.js";
import { type QueryItems, queryOptions, readQueries } from "./query-file.js";
import { writeRankingModel } from "./ranking-model.js";
import { ranked, rankingTable } from "./ranking-table.js";

/** alpha of the estimates, which the step depends on. */
const ALPHA = 0.5;

/** `offprint learn-to-rank --table queries.txt --output model.safetensors --rankings rankings.csv` */
export const learnToRank = defineCommand({
  name: "learn-to-rank",
  summary: "Learn to rank the items of queries in a table, by NDCG",
  options: {
    ...queryOptions,
    k: option.integer("items of a ranking that NDCG counts", { default: 10, least: 1 }),
    epochs: option.integer("times that every relevant item is sampled, on average", {
      default: 50,
      least: 1,
      free: true,
    }),
    sampledItems: option.integer("relevant items that a step samples; all where there are fewer", {
      default: 50,
      least: 1,
    }),
    batchSize: option.integer("items of its query that each is compared with in a step", { default: 32, least: 1 }),
    stepSize: option.number("step of the weights, in parts of the step of the ranks that the theory allows", {
      default: 4,
      above: 0,
    }),
    ...holdoutOption,
    ...seedOption,
    output: option.fileOut("file for the model (safetensors)", { short: "o" }),
    rankings: option.fileOut("file for the rankings of all queries (CSV)", { endings: [".csv"] }),
    quality: option.fileOut("file for the NDCG of each query (CSV)", { endings: [".csv"] }),
    ...stateOptions,
  },
  async run({ options, print, report, note, write, longRun }) {
    const { k, epochs, batchSize, seed } = options;
    const { features, queries } = await readQueries(options.table, options);
    const { learnt, unseen } = parts(queries, options.holdout, seed);
    const model = linearScores(
      concatenate(
        learnt.map(({ items }) => items),
        0,
      ),
    );
    const problem = ndcgProblem(learnt as readonly RankedQuery[], { model, batchSize });
    const sampledBlocks = Math.min(options.sampledItems, problem.blocks);
    print(
      `${queries.length} queries, ${features.length} features; ${learnt.length} queries with ${problem.blocks} relevant items to learn from`,
    );
    // The lower problems curve by 1.
    const lowerStepSize = 0.5 / Math.max(1, msvrGamma(problem.blocks, sampledBlocks, ALPHA));
    const maxIterations = Math.ceil((epochs * problem.blocks) / sampledBlocks);
    const run = await longRun<BilevelRecord, BsvrbState>({
      progress: ({ iteration }) => ({
        fraction: iteration / maxIterations,
        label: `step ${iteration} of ${maxIterations}`,
      }),
      every: 20,
    });
    const result = await bsvrb(problem, {
      ...{
        maxIterations,
        sampledBlocks,
        lowerStepSize,
        stepSize: options.stepSize * lowerStepSize,
        alpha: ALPHA,
        seed,
      },
      ...run.options,
    });
    await run.settle(result);
    const quality = (params: Tensor) => (query: QueryItems) =>
      ndcg(model.apply(params, query.items), query.relevance!, k);
    const [before, after] = [quality(zerosLike(result.x)), quality(result.x)];
    const mean = (of: (query: QueryItems) => number, list: readonly QueryItems[]) => {
      const judged = list.filter(isJudged);
      return (judged.reduce((sum, query) => sum + of(query), 0) / judged.length).toFixed(4);
    };
    report([
      [`NDCG@${k} of the queries learnt from, as the file orders them`, mean(before, learnt)],
      ["as learnt", mean(after, learnt)],
      ...(unseen.some(isJudged)
        ? ([
            [
              `NDCG@${k} of ${unseen.filter(isJudged).length} queries held out, as the file orders them`,
              mean(before, unseen),
            ],
            ["as learnt", mean(after, unseen)],
          ] as const)
        : []),
    ]);
    if (options.output === undefined)
      note("--output <file> keeps the model, with which rank-items ranks other queries.");
    await write(options.output, writeRankingModel({ weights: model.weights(result.x), features }));
    const score = (items: Tensor) => model.apply(result.x, items);
    await write(options.rankings, rankingTable(queries.map((query) => ranked(query, score))));
    await write(options.quality, qualityTable(queries, new Set(unseen), k, after));
  },
});

/** Whether a query says anything of a ranking. */
function isJudged({ relevance }: QueryItems): boolean {
  return relevance!.data().some((grade: number) => grade > 0);
}

/** Whole queries are held out. */
function parts(queries: readonly QueryItems[], share: number, seed: number) {
  const numbers = arange(queries.length);
  const all = { path: "", inputs: numbers, features: [], targetName: "", target: numbers };
  const learnt = new Set(holdOut(all, share, seed).trainRows);
  return {
    learnt: queries.filter((_, q) => learnt.has(q)),
    unseen: queries.filter((_, q) => !learnt.has(q)),
  };
}

function qualityTable(
  queries: readonly QueryItems[],
  unseen: ReadonlySet<QueryItems>,
  k: number,
  quality: (query: QueryItems) => number,
): string {
  return writeCsv(
    new Table([
      { name: "query", type: "text", values: queries.map(({ name }) => name) },
      { name: "part", type: "text", values: queries.map((query) => (unseen.has(query) ? "held out" : "learnt from")) },
      { name: "items", type: "number", values: Float64Array.from(queries, ({ rows }) => rows.length) },
      {
        name: `ndcg@${k}`,
        type: "number",
        values: Float64Array.from(queries, (q) => (isJudged(q) ? quality(q) : NaN)),
      },
    ]),
  );
}
