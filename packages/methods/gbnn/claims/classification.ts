import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { oneHot, type Tensor } from "@offprint/tensor-core";
import { chosenClasses, codeClasses } from "../src/classes.js";
import { boostStumps, type GbnnModel, losses, predictClasses, trainWhole } from "../src/index.js";
import { cancerNetwork, fitClasses, gbnn, type Method, SPLITS } from "./method.js";
import { classes, type Problem, standardized } from "./problems.js";

/** What the network is trained by as a whole. */
const solvers = ["lbfgs", "adam", "sgd"] as const;
type Solver = (typeof solvers)[number];

/** Fraction of the test samples that are told right. */
export function testAccuracy(problem: Problem, model: GbnnModel, keepBlocks = model.blocks.length): number {
  return agreement(problem.testTargets, predictClasses(model, problem.testInputs, { keepBlocks }) as number[]);
}

function agreement(truth: Tensor, predicted: ArrayLike<number>): number {
  const labels = truth.data();
  let right = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] === predicted[i]) right++;
  return right / labels.length;
}

async function whole(problem: Problem, count: number, seed: number, solver: Solver): Promise<number> {
  const { inputs, testInputs } = standardized(problem);
  const targets = count === 2 ? problem.targets : oneHot(problem.targets, count);
  const network = await trainWhole(inputs, targets, {
    units: 60,
    solver,
    seed,
    loss: count === 2 ? "logistic" : "softmax",
  });
  const predicted = network.predict(testInputs).data() as Float64Array;
  return agreement(
    problem.testTargets,
    chosenClasses(count === 2 ? predicted.map((p) => p - 0.5) : predicted, predicted.length / problem.testTargets.size),
  );
}

function stumps(problem: Problem, count: number): number {
  const targets = codeClasses(problem.targets.data() as Int32Array, count);
  const loss = count === 2 ? losses.logExponential() : losses.softmax(count);
  const F = boostStumps(problem.inputs, targets, loss)(problem.testInputs);
  return agreement(problem.testTargets, chosenClasses(F.data(), loss.outputs));
}

/** Mean accuracies on a table: of the boosted network, and how far the best of those trained as a whole is above it. */
export interface Accuracies {
  readonly boosted: number;
  /** On the splits that both were trained on. */
  readonly lead: number;
}

/** Whether mean accuracies bear the claim out. */
export function judgeClassification(cancer: Accuracies, wine: Accuracies): boolean {
  return cancer.boosted >= 0.945 && cancer.lead <= 0.02 && wine.lead <= 0.02;
}

async function compare(
  context: ClaimContext,
  method: Method,
  splits: number,
  name: "breast cancer" | "wine",
  count: number,
  by: readonly Solver[],
) {
  const boosted: number[] = [];
  const others: Record<"stumps" | Solver, number[]> = { lbfgs: [], adam: [], sgd: [], stumps: [] };
  // The slow ones see fewer splits in a quick run.
  const compared = (solver: Solver) => (context.scale === "quick" && count === 2 && solver !== "lbfgs" ? 2 : splits);
  for (let k = 0; k < splits; k++) {
    const seed = context.seed * splits + k;
    const { problem, model } =
      name === "breast cancer" ? await cancerNetwork(context, method, seed) : await wineNetwork(method, seed);
    boosted.push(testAccuracy(problem, model));
    for (const solver of by) if (k < compared(solver)) others[solver].push(await whole(problem, count, seed, solver));
    if (context.scale === "full" || k === 0) others.stumps.push(stumps(problem, count));
    await context.onProgress((k + 1) / splits / 2 + (count === 3 ? 0.5 : 0), name);
  }
  const leads = by.map((solver) => meanOf(others[solver]) - meanOf(boosted.slice(0, others[solver].length)));
  return {
    boosted: meanOf(boosted),
    lead: Math.max(...leads),
    rows: Object.entries({ boosted, ...others })
      .filter(([, values]) => values.length > 0)
      .map(([network, values]) => [name, network, values.length, meanOf(values), Math.min(...values)]),
  };
}

async function wineNetwork(method: Method, seed: number) {
  const problem = classes("wine", seed);
  const { model } = await fitClasses(method, problem, seed);
  return { problem, model };
}

/** Boosted networks tell tumours and wines apart as well as networks that are trained as a whole. */
export function classification(method: Method = gbnn, fixedSplits?: number, by: readonly Solver[] = solvers): Claim {
  return {
    id: "classification",
    statement: "A network grown by boosting classifies small tables as well as networks trained as a whole",
    source: "Section V, at small scale",
    paper: "competitive with MLPs by Adam, L-BFGS and SGD",
    async run(context) {
      const splits = fixedSplits ?? SPLITS[context.scale];
      const cancer = await compare(context, method, splits, "breast cancer", 2, by);
      const wine = await compare(context, method, splits, "wine", 3, by);
      return {
        measured: {
          cancer: cancer.boosted,
          "lead of the best other": cancer.lead,
          wine: wine.boosted,
          "lead of the best other, wine": wine.lead,
        },
        holds: judgeClassification(cancer, wine),
        detail:
          `Mean accuracy over ${splits} splits, 60 units in blocks of one: ${figure(cancer.boosted)} on the Wisconsin breast cancer data, to be at least 0.945; ` +
          `${figure(wine.boosted)} on wines. The best of the same networks trained as a whole by L-BFGS, Adam and SGD is to lead by at most 0.02: ${figure(cancer.lead)} and ${figure(wine.lead)}.`,
        tables: [
          {
            title: "Test accuracy",
            columns: ["data", "network", "splits", "mean", "least"],
            rows: [...cancer.rows, ...wine.rows],
          },
        ],
      };
    },
  };
}
