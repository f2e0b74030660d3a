import { checkOptions, type Tensor, tensor } from "@offprint/tensor-core";
import { requireFit, type TableFit } from "../fit-table.js";
import {
  drawLetters,
  type Round,
  type SearchOptions,
  type SearchResult,
  searchLetters,
  searchNames,
} from "./letter-search.js";
import { levelNames, type RisingLevelOptions, risingLevel } from "./rising-level.js";

/** The distribution that is searched with, and that of the table's best. */
export interface CbasModel {
  /** Probabilities of letters `[L, V]`. */
  readonly search: Tensor;
  /** The same before the search. */
  readonly prior: Tensor;
  /** The level that is to be exceeded; null before the first round. */
  readonly level: number | null;
}

/** Options of {@link cbasSequences}. */
export interface CbasOptions extends SearchOptions<CbasModel>, RisingLevelOptions {}

/** Share of the prior in every refit, so that no letter dies out. */
const KEPT = 0.05;

/**
 * CbAS (Brookes, Park and Listgarten 2019) with independent letters as the search model: samples are weighed by their density under the prior
 * over that under the search model, times the probability that they exceed a level that rises.
 */
export function cbasSequences(fit: TableFit, options: CbasOptions = {}): Promise<SearchResult<CbasModel>> {
  requireFit("cbasSequences", fit);
  const owner = "cbasSequences";
  checkOptions(owner, options, [...levelNames, ...searchNames]);
  const rise = risingLevel(owner, options);
  return searchLetters<CbasModel>(
    fit,
    {
      owner,
      names: levelNames,
      initial({ letters }) {
        const width = fit.model.alphabet.length;
        const [n, length] = letters.shape;
        const shares = new Float64Array(length * width).fill(0.1 / width);
        for (const [k, letter] of letters.data().entries()) shares[(k % length) * width + letter] += 0.9 / n;
        const prior = tensor(shares, { shape: [length, width] });
        return { search: prior, prior, level: null };
      },
      draw: ({ search }, _, round) => drawLetters(Float64Array.from(search.data()), round),
      learn({ search, prior, level: before }, { letters, predictions }, round) {
        const { level, exceeding } = rise(before, predictions.data());
        const rows = Int32Array.from(letters.data());
        const [p, q] = [Float64Array.from(prior.data()), Float64Array.from(search.data())];
        const weights = exceeding.map((chance, i) => Math.exp(logRatio(rows, i, p, q, round)) * chance);
        return { search: refit(rows, weights, p, round), prior, level };
      },
    },
    options,
  );
}

/** log p(s) - log q(s) of the i-th sequence. */
function logRatio(rows: Int32Array, i: number, p: Float64Array, q: Float64Array, { length, width }: Round): number {
  let total = 0;
  for (let l = 0; l < length; l++) {
    const entry = l * width + rows[i * length + l];
    total += Math.log(p[entry]) - Math.log(q[entry]);
  }
  return total;
}

function refit(rows: Int32Array, weights: Float64Array, prior: Float64Array, { length, width }: Round): Tensor {
  const total = weights.reduce((a, b) => a + b);
  const shares = prior.map((share) => KEPT * share);
  for (const [k, letter] of rows.entries()) {
    const weight = total > 0 ? weights[Math.floor(k / length)] / total : length / rows.length;
    shares[(k % length) * width + letter] += (1 - KEPT) * weight;
  }
  return tensor(shares, { shape: [length, width] });
}
