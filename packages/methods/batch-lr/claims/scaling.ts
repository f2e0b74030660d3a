import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import { finalLosses, trainingImages } from "./digits-network.js";
import { adamRule, heavyBall, type Rule } from "./training-rules.js";

/** Learning rates are searched among powers of the root of two. */
const rateOf = (k: number) => 2 ** (k / 2);

interface Search {
  readonly batches: readonly number[];
  readonly about: readonly number[];
}

/** Batches, and the power of the root of two about which rates are tried. */
const [sgdBatches, adamBatches]: readonly [Search, Search] = [
  { batches: [2, 4, 8, 32, 256], about: [-3, -1, 0, 2, 3] },
  { batches: [2, 16, 128], about: [-10, -6, -3] },
];

/** How far on both sides. */
const reach = 4;

/** Slope of the logarithm of rates by that of batches, least squares. */
export function slopeOf(batches: readonly number[], rates: readonly number[]): number {
  const [x, y] = [batches.map(Math.log), rates.map(Math.log)];
  const [mx, my] = [meanOf(x), meanOf(y)];
  return meanOf(x.map((v, i) => (v - mx) * (y[i] - my))) / meanOf(x.map((v) => (v - mx) ** 2));
}

/** The largest usable rates of a rule by batch size. */
type LargestRates = (context: ClaimContext, search: Search, done: number) => Promise<number[]>;

/**
 * For each batch size the largest rate at which runs of 150 steps end, in the mean over three seeds, below a loss of 1; NaN
 * where none of those that are tried does, or the highest does.
 */
export function largestRatesOf<S>(rule: Rule<S>): LargestRates {
  return async ({ seed, onProgress }, { batches, about }, done) => {
    const images = trainingImages(random.rng(`images/${seed}`));
    const found: number[] = [];
    for (const [i, batch] of batches.entries()) {
      const exponents = Array.from({ length: 2 * reach + 1 }, (_, j) => about[i] + j - reach);
      const rates = exponents.map((k) => [rateOf(k), 0]);
      const runs: number[][] = [];
      for (let run = 0; run < 3; run++) {
        const turn = () => onProgress(done + (i / batches.length) * 0.5);
        runs.push(await finalLosses(images, rule, { rates, batch, steps: 150, seed: `scaling/${seed}/${run}` }, turn));
      }
      const fine = exponents.filter((_, j) => meanOf(runs.map((losses) => losses[j])) < 1);
      const largest = Math.max(...fine);
      found.push(fine.length === 0 || largest === about[i] + reach ? Number.NaN : rateOf(largest));
    }
    return found;
  };
}

/** The headline: SGD's largest rate is linear in the batch and then flat, Adam's goes with the root. */
export function scaling(
  sgd: LargestRates = largestRatesOf(heavyBall),
  adaptive: LargestRates = largestRatesOf(adamRule),
): Claim {
  return {
    id: "scaling",
    statement:
      "SGD's largest usable learning rate is proportional to the batch up to a threshold, then flat; Adam's goes with its root",
    source: "Section 4 and the experiments on learning rates",
    paper: "linear, then constant; square root for adaptive methods",
    async run(context) {
      const first = await sgd(context, sgdBatches, 0);
      const second = await adaptive(context, adamBatches, 0.5);
      const linear = slopeOf(sgdBatches.batches.slice(0, 3), first.slice(0, 3));
      const ratio = first[4] / first[3];
      const root = slopeOf(adamBatches.batches, second);
      return {
        measured: { "SGD slope": linear, "SGD 256 / 32": ratio, "Adam slope": root },
        holds: linear >= 0.7 && linear <= 1.5 && ratio <= 2 && root >= 0.3 && root <= 0.75,
        detail:
          `Largest rate 2^(k/2) at which 150 steps end below a loss of 1. SGD: slope of its logarithm from batches of 2 to 8 in ` +
          `[0.7, 1.5] (${figure(linear)}), ratio of 256 to 32 at most 2 (${figure(ratio)}). Adam: slope from 2 to 128 in ` +
          `[0.3, 0.75] (${figure(root)}).`,
        series: [
          {
            kind: "line",
            title: "Largest usable learning rate by batch size",
            x: { label: "batch", scale: "log" },
            y: { label: "learning rate", scale: "log" },
            curves: [
              { name: "SGD", x: sgdBatches.batches, y: first },
              { name: "Adam", x: adamBatches.batches, y: second },
            ],
          },
        ],
      };
    },
  };
}
