import { defineCommand, option } from "@offprint/commands";
import { loadFile } from "@offprint/data/node";
import { matmul } from "@offprint/tensor-core";
import { queryOptions, readQueries } from "./query-file.js";
import { readRankingModel } from "./ranking-model.js";
import { ranked, rankingTable } from "./ranking-table.js";

/** `offprint rank-items --model model.safetensors --table queries.csv --output rankings.csv` */
export const rankItems = defineCommand({
  name: "rank-items",
  summary: "Rank the items of queries with a model that learn-to-rank made",
  options: {
    model: option.fileIn("file that learn-to-rank wrote", { required: true, short: "m" }),
    table: queryOptions.table,
    query: queryOptions.query,
    output: option.fileOut("file for the rankings (CSV); default: printed", { short: "o", endings: [".csv"] }),
  },
  async run({ options, print, write }) {
    const { weights, features } = await loadFile(options.model, readRankingModel);
    const { queries } = await readQueries(options.table, { query: options.query, target: null, features });
    const text = rankingTable(queries.map((query) => ranked(query, (items) => matmul(items, weights))));
    if (options.output === undefined) return print(text.trimEnd());
    await write(options.output, text);
    print(`${queries.length} queries ranked: ${options.output}`);
  },
});
