import { type Column, Table, writeCsv } from "@offprint/data";
import type { Tensor } from "@offprint/tensor-core";
import type { QueryItems } from "./query-file.js";

/** A query's items in order, the best first. */
export interface Ranking {
  readonly query: QueryItems;
  /** Places of the items in the query, from 0. */
  readonly order: readonly number[];
  /** Of the items, as the query has them. */
  readonly scores: Float64Array;
}

/** Ranks the items of a query; of equal scores the first comes first. */
export function ranked(query: QueryItems, score: (items: Tensor) => Tensor): Ranking {
  const scores = Float64Array.from(score(query.items).data());
  return { query, scores, order: [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!) };
}

/** CSV with a row for each item: query, rank from 1, row in the file from 1, score, and the relevance where it is known. */
export function rankingTable(rankings: readonly Ranking[]): string {
  const numbers = (name: string, of: (ranking: Ranking, item: number, rank: number) => number): Column => ({
    name,
    type: "number",
    values: Float64Array.from(rankings.flatMap((ranking) => ranking.order.map((item, k) => of(ranking, item, k + 1)))),
  });
  const known = rankings.every(({ query }) => query.relevance !== undefined);
  return writeCsv(
    new Table([
      { name: "query", type: "text", values: rankings.flatMap(({ query, order }) => order.map(() => query.name)) },
      numbers("rank", (_, __, rank) => rank),
      numbers("row", ({ query }, item) => query.rows[item]! + 1),
      numbers("score", ({ scores }, item) => scores[item]!),
      ...(known ? [numbers("relevance", ({ query }, item) => query.relevance!.data()[item])] : []),
    ]),
  );
}
