import type { Claim } from "@offprint/claims";
import { tensor } from "@offprint/tensor-core";
import { type ReagentOptions, reagent } from "../src/index.js";

/** The search that a claim is about; tests put a broken one in its place. */
export type Search = typeof reagent;

const WEIGHTS = [0.05, 0.3, 0, 0.1, 0.02];
const LENGTH = WEIGHTS.length;
const PROMPT = Int32Array.from({ length: LENGTH }, () => 1);

/**
 * A model whose target 1 has probability `0.5 + sum of the weights of tokens that are still there`: the oracle of the
 * claim. Replaced tokens are zeros.
 */
const oracle = {
  vocabSize: 2,
  nextLogits: (prompts: readonly Int32Array[]) =>
    prompts.map((prompt) => {
      const p = 0.5 + WEIGHTS.reduce((total, w, i) => total + (prompt[i] === 1 ? w : 0), 0);
      return [Math.log(1 - p), Math.log(p)];
    }),
};

/** Never stops: the target would have to be among none. */
function endless(update: ReagentOptions["update"], ratio: number, maxIterations: number): ReagentOptions {
  return {
    replacer: (prompts) => prompts.map((prompt) => prompt.map(() => 0)),
    target: 1,
    update: update ?? "logit",
    ratio,
    topK: 1,
    keepTopN: 1,
    probes: 1,
    maxIterations,
    minIterations: maxIterations + 1,
    initialScores: tensor(new Float64Array(LENGTH), { shape: [1, LENGTH] }),
  };
}

/** Increments of all 2^L masks, each with its probability: one search of one step for each mask. */
async function increments(search: Search, update: "logit" | "linear", ratio: number) {
  const rows: { probability: number; gained: Float64Array }[] = [];
  for (let bits = 0; bits < 2 ** LENGTH; bits++) {
    const mask = Array.from({ length: LENGTH }, (_, i) => ((bits >> i) & 1) === 1);
    const { logScores } = await search(oracle, PROMPT, { ...endless(update, ratio, 1), masks: () => mask });
    const replacedCount = mask.filter(Boolean).length;
    const probability = ratio ** replacedCount * (1 - ratio) ** (LENGTH - replacedCount);
    rows.push({ probability, gained: Float64Array.from(logScores.data()) });
  }
  return rows;
}

async function expectedIncrements(search: Search, update: "logit" | "linear", ratio: number) {
  const mean = new Float64Array(LENGTH);
  const square = new Float64Array(LENGTH);
  for (const { probability, gained } of await increments(search, update, ratio)) {
    for (let i = 0; i < LENGTH; i++) {
      mean[i] += probability * gained[i];
      square[i] += probability * gained[i] ** 2;
    }
  }
  return { mean, variance: square.map((s, i) => s - mean[i] ** 2) };
}

function sameOrder(values: ArrayLike<number>): boolean {
  const order = (x: ArrayLike<number>) => Array.from(x, (_, i) => i).sort((a, b) => x[b] - x[a]);
  return order(values).join() === order(WEIGHTS).join();
}

/** Expected evidence in closed form, by enumeration of all masks, and by a long random run. */
export function closedForm(search: Search = reagent): Claim {
  return {
    id: "closed-form",
    statement: "The expected evidence of a token is increasing in what it contributes to the prediction",
    source: "Algorithm 1, for an additive model",
    paper: "same order for every replacement ratio",
    async run({ seed, scale, onProgress }) {
      const total = WEIGHTS.reduce((a, b) => a + b, 0);
      let worst = 0;
      let ordered = true;
      const ratios = [0.1, 0.3, 0.5, 0.7, 0.9];
      for (const [k, ratio] of ratios.entries()) {
        const linear = (await expectedIncrements(search, "linear", ratio)).mean;
        const formula = WEIGHTS.map((w) => 2 * ratio * (1 - ratio) * w + ratio * (2 * ratio - 1) * total);
        worst = Math.max(worst, ...formula.map((f, i) => Math.abs(f - linear[i])));
        const logit = (await expectedIncrements(search, "logit", ratio)).mean;
        ordered &&= sameOrder(linear) && sameOrder(logit);
        await onProgress((0.5 * (k + 1)) / ratios.length);
      }
      const steps = scale === "full" ? 200_000 : 20_000;
      const { mean, variance } = await expectedIncrements(search, "logit", 0.3);
      const { logScores } = await search(oracle, PROMPT, { ...endless("logit", 0.3, steps), seed });
      const reached = Array.from(logScores.data());
      const deviations = reached.map((s, i) => Math.abs(s / steps - mean[i]) / Math.sqrt(variance[i] / steps));
      const farthest = Math.max(...deviations);
      return {
        measured: { "error of the formula": worst, "standard errors of a random run": farthest },
        holds: worst < 1e-12 && ordered && farthest < 4,
        detail:
          `Over all 32 masks and 5 ratios the mean increment must equal 2r(1-r) w_i + r(2r-1) sum w to 1e-12 (off by ${worst.toExponential(1)}) ` +
          `and have the order of w with both updates (${ordered ? "it has" : "it has not"}); ` +
          `a random run of ${steps} steps must be within 4 standard errors of the enumeration (${farthest.toFixed(2)}).`,
        tables: [
          {
            title: "Expected increments of the logit update at r = 0.3",
            columns: ["token", "weight", "enumerated", "random run"],
            rows: WEIGHTS.map((w, i) => [i, w, mean[i], reached[i] / steps]),
          },
        ],
      };
    },
  };
}
