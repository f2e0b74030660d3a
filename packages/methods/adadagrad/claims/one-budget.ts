import type { Claim, ClaimContext } from "@offprint/claims";
import { type AdaptiveOptions, trainAdaptive } from "../src/index.js";
import { type Run, runOn, softmax20, TRAIN, type Trainer, thinned } from "./softmax-20.js";

const BUDGET = 5e5;
const SMALL = 16;

/** A way to choose batch sizes. */
export interface Contender {
  /** Shown in the table. */
  readonly name: string;
  /** How it begins and grows. */
  readonly options: Pick<AdaptiveOptions, "initialBatch" | "test">;
  /** Whether only the full scale runs it. */
  readonly full?: boolean;
}

/** All that are compared. The first three are judged; the quick scale leaves the others out. */
export const contenders: readonly Contender[] = [
  { name: "norm test, eta 0.5", options: { initialBatch: SMALL, test: { kind: "norm", eta: 0.5 } } },
  { name: "norm test, eta 1", options: { initialBatch: SMALL, test: { kind: "norm", eta: 1 } } },
  { name: "constant, 20000", options: { initialBatch: TRAIN, test: { kind: "constant" } } },
  { name: "constant, 1024", options: { initialBatch: 1024, test: { kind: "constant" } }, full: true },
  { name: "constant, 4096", options: { initialBatch: 4096, test: { kind: "constant" } }, full: true },
  {
    name: "augmented test",
    options: { initialBatch: SMALL, test: { kind: "augmented", theta: 0.5, nu: 1 } },
    full: true,
  },
  {
    name: "ramp-up in stages",
    options: { initialBatch: SMALL, test: { kind: "stages", sizes: [64, 256, 1024, 4096, TRAIN] } },
    full: true,
  },
  {
    name: "ramp-up by 256 a step",
    options: { initialBatch: SMALL, test: { kind: "linear", increment: 256 } },
    full: true,
  },
  { name: "constant, 16", options: { initialBatch: SMALL, test: { kind: "constant" } }, full: true },
];

/** Whether mean figures bear the claim out. */
export function judgeBudget(
  half: Pick<Run, "loss" | "steps">,
  one: Pick<Run, "loss" | "steps">,
  largest: Pick<Run, "loss">,
): boolean {
  const fewer = half.steps <= BUDGET / SMALL / 20;
  return fewer && half.loss <= largest.loss - 0.2 && one.steps > half.steps && one.loss < half.loss;
}

async function averaged(
  context: ClaimContext,
  train: Trainer,
  { options }: Contender,
  seeds: readonly number[],
): Promise<Run> {
  const data = softmax20(context.seed);
  const runs: Run[] = [];
  const { backend, signal } = context;
  for (const seed of seeds) {
    runs.push(
      await runOn(data, train, {
        ...options,
        learningRate: 0.05,
        maxSamples: BUDGET,
        seed,
        signal,
        ...(backend && { backend }),
      }),
    );
  }
  const mean = (key: "accuracy" | "loss" | "meanBatch" | "steps") =>
    runs.reduce((sum, run) => sum + run[key], 0) / runs.length;
  return {
    steps: mean("steps"),
    meanBatch: mean("meanBatch"),
    loss: mean("loss"),
    accuracy: mean("accuracy"),
    sizes: runs[0].sizes,
  };
}

/** The headline: few steps, and still a good model, at one budget of samples. */
export function oneBudget(train: Trainer = trainAdaptive, compared: readonly Contender[] = contenders): Claim {
  return {
    id: "one-budget",
    statement:
      "At one budget of samples, the test takes far fewer steps than small batches and gives a far better model than large ones",
    source: "Experiments, logistic regression with AdAdaGrad",
    paper: "far fewer steps than small batches with close to their quality; large constant batches end clearly worse",
    async run(context) {
      const chosen = compared.filter(({ full }) => context.scale === "full" || !full);
      const seeds = context.scale === "full" ? [0, 1, 2] : [0];
      const runs: Run[] = [];
      for (const [i, contender] of chosen.entries()) {
        runs.push(await averaged(context, train, contender, seeds));
        await context.onProgress((i + 1) / chosen.length, contender.name);
      }
      const [half, one, largest] = runs;
      return {
        measured: { steps: half.steps, loss: half.loss, "loss of full batches": largest.loss },
        holds: judgeBudget(half, one, largest),
        detail:
          `${BUDGET} samples, AdaGrad, eta 0.5: ${half.steps} steps (at most a twentieth of the ${BUDGET / SMALL} of batches of ${SMALL}), held-out loss ${half.loss.toFixed(3)} (at least 0.2 below ` +
          `the ${largest.loss.toFixed(3)} of full batches); eta 1: ${one.steps} steps and ${one.loss.toFixed(3)} (more steps, lower loss). A constant batch of the same mean size does as well: what is gained is not to have to know it.`,
        tables: [
          {
            title: `Softmax regression, ${BUDGET} samples`,
            columns: ["batch size", "steps", "mean batch", "held-out loss", "accuracy"],
            rows: chosen.map(({ name }, i) => [name, runs[i].steps, runs[i].meanBatch, runs[i].loss, runs[i].accuracy]),
          },
        ],
        series: [
          {
            kind: "line",
            title: "Batch sizes that were chosen",
            x: { label: "step", scale: "log" },
            y: { label: "batch size", scale: "log" },
            curves: chosen
              .map(({ name }, i) => ({ name, curve: thinned(runs[i].sizes) }))
              .filter(({ name }) => !name.startsWith("constant"))
              .map(({ name, curve }) => ({ name, x: curve.x.map((step) => step + 1), y: curve.y })),
          },
        ],
      };
    },
  };
}
