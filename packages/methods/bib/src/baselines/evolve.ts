import { checkOptions, requireInteger, requirePositive } from "@offprint/tensor-core";
import { requireFit, type TableFit } from "../fit-table.js";
import { type SearchOptions, type SearchResult, searchLetters, searchNames } from "./letter-search.js";

/** Options of {@link evolveSequences}. */
export interface EvolveOptions extends SearchOptions<null> {
  /** Letters of a child that are drawn anew, on average. Default 1. */
  readonly mutations?: number;
  /** How many of the best have children. Default 32. */
  readonly parents?: number;
}

/** Evolution on the proxy: in every round the best sequences so far get mutated children. */
export function evolveSequences(fit: TableFit, options: EvolveOptions = {}): Promise<SearchResult<null>> {
  requireFit("evolveSequences", fit);
  const owner = "evolveSequences";
  checkOptions(owner, options, ["mutations", "parents", ...searchNames]);
  const { mutations = 1, parents = 32 } = options;
  requireInteger(owner, "parents", parents, 1);
  requirePositive(owner, "mutations", mutations);
  return searchLetters<null>(
    fit,
    {
      owner,
      names: ["mutations", "parents"],
      initial: () => null,
      draw(_, { letters }, { length, width, batchSize, rng }) {
        const pool = letters.data();
        const chosen = rng.randint([batchSize], { high: Math.min(parents, letters.shape[0]) }).data();
        const changed = rng.bernoulli([batchSize * length], { probability: Math.min(1, mutations / length) }).data();
        const drawn = rng.randint([batchSize * length], { high: width }).data();
        return Int32Array.from(drawn, (letter, k) =>
          changed[k] ? letter : pool[chosen[Math.floor(k / length)] * length + (k % length)],
        );
      },
      learn: () => null,
    },
    options,
  );
}
