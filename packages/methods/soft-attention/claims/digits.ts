import type { Claim, ClaimContext } from "@offprint/claims";
import { loadParameters } from "@offprint/nn";
import { random } from "@offprint/tensor-core";
import type { HeadAttention } from "../src/index.js";
import {
  type DigitAttention,
  type DigitModel,
  digitAccuracy,
  digitAttentions,
  digitNetwork,
  trainDigits,
} from "./digit-network.js";
import { digitWeights } from "./digit-weights.js";
import { figure, meanOf } from "./figures.js";

const shipped = ["softmax", "SOFT", "SOFT++"] as const;
const SEEDS = 3;

/** The networks that were trained before, one per seed. */
function shippedModels(name: (typeof shipped)[number]): DigitModel[] {
  return digitWeights[name].map((weights) => modelOf(name, weights));
}

function modelOf(name: DigitAttention, weights: string): DigitModel {
  const bytes = Uint8Array.from(atob(weights), (character) => character.charCodeAt(0));
  return loadParameters(bytes, digitNetwork(digitAttentions[name]).init(random.rng(0)));
}

async function shippedAccuracies(context: ClaimContext, attentions: Readonly<Record<string, HeadAttention>>) {
  const accuracies: number[][] = [];
  for (const [i, name] of shipped.entries()) {
    accuracies.push([]);
    for (const [seed, model] of shippedModels(name).entries()) {
      accuracies[i].push(await digitAccuracy(context, attentions[name], model, seed));
      await context.onProgress((i + (seed + 1) / SEEDS) / shipped.length, name);
    }
  }
  return accuracies;
}

/** Whether mean accuracies bear the claim out. */
function judgeDigits(softmax: number, soft: number, plusPlus: number): boolean {
  return soft >= softmax - 0.03 && plusPlus >= softmax - 0.03;
}

async function trainedAccuracies(context: ClaimContext, names: readonly DigitAttention[]): Promise<number[][]> {
  const accuracies: number[][] = [];
  for (const [i, name] of names.entries()) {
    accuracies.push([]);
    for (let seed = context.seed; seed < context.seed + SEEDS; seed++) {
      const done = i * SEEDS + seed - context.seed;
      const onFraction = (fraction: number) => context.onProgress((done + fraction) / (names.length * SEEDS), name);
      const model = await trainDigits(context, digitAttentions[name], seed, onFraction);
      accuracies[i].push(await digitAccuracy(context, digitAttentions[name], model, seed));
    }
  }
  return accuracies;
}

/**
 * The paper's headline at small scale: no loss of accuracy against softmax. At the quick scale networks that were
 * trained before are tested; at the full scale all attentions are trained. Three seeds.
 * @param attentions what the shipped SOFT and SOFT++ networks compute with
 */
export function digitParity(attentions: Readonly<Record<string, HeadAttention>> = digitAttentions): Claim {
  return {
    id: "accuracy-against-softmax",
    statement: "Networks with SOFT and SOFT++ read digits as well as with softmax attention",
    source: "Table 2, at small scale",
    paper: { "softmax-free minus softmax": 0 },
    async run(context: ClaimContext) {
      const quick = context.scale === "quick";
      const names: readonly DigitAttention[] = quick ? shipped : (Object.keys(digitAttentions) as DigitAttention[]);
      const accuracies = quick ? await shippedAccuracies(context, attentions) : await trainedAccuracies(context, names);
      const means = accuracies.map(meanOf);
      const [softmax, soft, plusPlus] = means;
      return {
        measured: Object.fromEntries(names.map((name, i) => [name, means[i]])),
        holds: judgeDigits(softmax, soft, plusPlus),
        detail:
          `Mean accuracy of ${SEEDS} networks on 597 images${quick ? ", trained before for 12 epochs" : ""}: ` +
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
