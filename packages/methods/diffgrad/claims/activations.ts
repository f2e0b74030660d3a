import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { digitAccuracies, EPOCHS, stepped } from "./digit-training.js";
import { type Method, published } from "./method.js";

const LEARNING_RATE = 0.01;
const names = { ReLU: "relu", "Leaky ReLU": "leakyRelu", ELU: "elu", SELU: "selu", GELU: "gelu" } as const;

/** How much a run of the claim measures. */
export interface ActivationSize {
  /** Runs per activation. */
  readonly runs: number;
  /** Passes over the training images. */
  readonly epochs: number;
}

/** The sheet's two runs; one at the quick scale. */
function sizeOf({ scale }: ClaimContext): ActivationSize {
  return { runs: scale === "full" ? 2 : 1, epochs: EPOCHS };
}

/** Whether mean accuracies bear the claim out: each at least 0.95, none more than 0.03 above another. */
export function judgeActivations(means: readonly number[]): boolean {
  return Math.min(...means) >= 0.95 && Math.max(...means) - Math.min(...means) <= 0.03;
}

/** Section VI: diffGrad works alike whatever the activation of the network. */
export function activationUniformity(
  method: Method = published,
  size: (context: ClaimContext) => ActivationSize = sizeOf,
): Claim {
  return {
    id: "uniform-over-activations",
    statement: "diffGrad trains a CNN equally well with ReLU, Leaky ReLU, ELU, SELU and GELU",
    source: "Section VI, table 5 (ResNet), at small scale",
    paper: "uniformly good",
    async run(context) {
      const { runs, epochs } = size(context);
      const entries = Object.entries(names);
      const optimizer = method({ learningRate: stepped(LEARNING_RATE, epochs) });
      const means: number[] = [];
      for (const [name, activation] of entries) {
        const onFraction = (fraction: number) => context.onProgress((means.length + fraction) / entries.length, name);
        const own = Array.from({ length: runs }, (_, run) => run);
        means.push(meanOf(await digitAccuracies(context, { optimizer, runs: own, activation, epochs, onFraction })));
      }
      const spread = Math.max(...means) - Math.min(...means);
      return {
        measured: Object.fromEntries(entries.map(([name], i) => [name, means[i]])),
        holds: judgeActivations(means),
        detail:
          `Mean test accuracy of ${runs === 1 ? "one run" : `${runs} runs`} each: all must reach 0.95 ` +
          `(least ${figure(Math.min(...means))}) and lie within 0.03 (${figure(spread)}).`,
        series: [
          {
            kind: "bar",
            title: "Test accuracy by activation",
            category: "activation",
            categories: entries.map(([name]) => name),
            value: { label: "accuracy", range: [0.9, 1] },
            bars: [{ name: "diffGrad", values: means }],
            references: [{ value: 0.95, label: "criterion" }],
          },
        ],
      };
    },
  };
}
