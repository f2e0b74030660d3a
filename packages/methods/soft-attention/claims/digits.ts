import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import type { HeadAttention } from "../src/index.js";
import {
  type DigitAttention,
  digitAttentions,
  digitJudge,
  digitNetwork,
  EPOCHS,
  trainDigits,
} from "./digit-network.js";
import { assetName, shippedNetwork } from "./shipped-networks.js";

const shipped = ["softmax", "SOFT", "SOFT++"] as const;
const SEEDS = 3;

/** Accuracies of the shipped networks of an attention, or of what is put in its place: each on its own test images. */
export async function shippedAccuracies(
  context: Pick<ClaimContext, "backend">,
  name: (typeof shipped)[number],
  attention: HeadAttention = digitAttentions[name],
  seeds = SEEDS,
): Promise<number[]> {
  const like = digitNetwork(digitAttentions[name]).init(random.rng(0));
  const judge = digitJudge(context, attention);
  const accuracies: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    accuracies.push(await judge.accuracy(await shippedNetwork(assetName("digits", name, seed), like), seed));
  }
  await judge.release();
  return accuracies;
}

async function allShippedAccuracies(context: ClaimContext): Promise<number[][]> {
  const accuracies: number[][] = [];
  for (const [i, name] of shipped.entries()) {
    accuracies.push(await shippedAccuracies(context, name));
    await context.onProgress((i + 1) / shipped.length, name);
  }
  return accuracies;
}

/** Whether mean accuracies bear the claim out. */
export function judgeDigits(softmax: number, soft: number, plusPlus: number): boolean {
  return soft >= softmax - 0.03 && plusPlus >= softmax - 0.03;
}

async function trainedAccuracies(context: ClaimContext, names: readonly DigitAttention[]): Promise<number[][]> {
  const accuracies: number[][] = [];
  for (const [i, name] of names.entries()) {
    accuracies.push([]);
    const judge = digitJudge(context, digitAttentions[name]);
    for (let seed = context.seed; seed < context.seed + SEEDS; seed++) {
      const done = i * SEEDS + seed - context.seed;
      const onFraction = (fraction: number) => context.onProgress((done + fraction) / (names.length * SEEDS), name);
      const model = await trainDigits(context, digitAttentions[name], seed, onFraction);
      accuracies[i].push(await judge.accuracy(model, seed));
    }
    await judge.release();
  }
  return accuracies;
}

/**
 * The paper's headline at small scale: no loss of accuracy against softmax. At the quick scale shipped networks are
 * tested, which were trained with seeds 0, 1 and 2 whatever the seed of the run is; at the full scale all attentions are
 * trained with three seeds from that of the run on, which also choose the test images.
 */
export function digitParity(): Claim {
  return {
    id: "accuracy-against-softmax",
    statement:
      "Networks with SOFT and SOFT++ read digits as well as with softmax attention (quick: shipped networks of seeds " +
      "0, 1, 2, whatever the seed of the run; full: trained with the seed of the run and the two after it)",
    source: "Table 2, at small scale",
    paper: { "softmax-free minus softmax": 0 },
    async run(context: ClaimContext) {
      const quick = context.scale === "quick";
      const names: readonly DigitAttention[] = quick ? shipped : (Object.keys(digitAttentions) as DigitAttention[]);
      const accuracies = quick ? await allShippedAccuracies(context) : await trainedAccuracies(context, names);
      const means = accuracies.map(meanOf);
      const [softmax, soft, plusPlus] = means;
      return {
        measured: Object.fromEntries(names.map((name, i) => [name, means[i]])),
        holds: judgeDigits(softmax, soft, plusPlus),
        detail:
          `Mean accuracy on 597 images of ${SEEDS} networks trained for ${EPOCHS} epochs ` +
          `(${quick ? "shipped, of seeds 0, 1, 2" : `here, with seeds from ${context.seed} on`}): ` +
          `SOFT (${figure(soft)}) and SOFT++ (${figure(plusPlus)}) must be at least softmax (${figure(softmax)}) minus 0.03.`,
        tables: [
          {
            title: "Test accuracy",
            columns: ["attention", "mean", "least", "largest"],
            rows: names.map((name, i) => [name, means[i], Math.min(...accuracies[i]), Math.max(...accuracies[i])]),
          },
        ],
      };
    },
  };
}
