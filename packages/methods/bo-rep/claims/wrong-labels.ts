import { dataCleaning, solveLower } from "@offprint/bilevel";
import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { digits } from "@offprint/datasets";
import type { LinearParams } from "@offprint/nn";
import { accuracy, crossEntropy } from "@offprint/optim";
import { add, div, jitSync, matmul, type random, type Tensor, take, tensor } from "@offprint/tensor-core";
import { type Method, published } from "./method.js";

/** Digits of which 30 % of the training labels are wrong. */
function dirtyDigits(rng: random.Rng) {
  const { inputs, targets } = digits({ dtype: "float64" });
  const scaled = div(inputs, 16);
  const order = rng.permutation(1797);
  const rows = (from: number, to: number) => {
    const at = order.slice([{ start: from, stop: to }]);
    return { inputs: take(scaled, at), targets: take(targets, at) };
  };
  const [train, validation, test] = [rows(0, 500), rows(500, 800), rows(800, 1797)];
  const wrong = new Set(rng.permutation(500).data().slice(0, 150));
  const labels = Int32Array.from(train.targets.data(), (label, i) =>
    wrong.has(i) ? (label + 1 + rng.randint([], { high: 9 }).item()) % 10 : label,
  );
  return { train: { inputs: train.inputs, targets: tensor(labels) }, validation, test, wrong };
}

const logitsOf = ({ weight, bias }: LinearParams, { inputs }: { inputs: Tensor }) =>
  add(matmul(inputs, weight), bias ?? 0);
const figuresOf = jitSync(
  (params: LinearParams, test: { inputs: Tensor; targets: Tensor }, validation: typeof test) => ({
    accuracy: accuracy(logitsOf(params, test), test.targets),
    loss: crossEntropy(logitsOf(params, validation), validation.targets),
  }),
);

/** The chance that a wrong label's example has a smaller x than a right one's. */
export function areaUnderCurve(x: ArrayLike<number>, wrong: ReadonlySet<number>): number {
  const order = Array.from(x, (value, i) => ({ value, wrong: wrong.has(i) })).sort((a, b) => a.value - b.value);
  const count = order.filter((each) => each.wrong).length;
  let [seen, area] = [0, 0];
  for (const each of order) {
    if (each.wrong) seen++;
    else area += seen;
  }
  return area / (count * (order.length - count));
}

/** Wrong labels are found, and the model is better for it. */
export function wrongLabels(method: Method = published, seeds = 2): Claim {
  return {
    id: "wrong-labels",
    statement: "Weighting examples by BO-REP finds the wrong labels and makes the model better; StocBiO finds fewer",
    source: "Figure 4, data hyper-cleaning",
    paper: "best test accuracy of all methods (curves)",
    async run(context) {
      const all: Awaited<ReturnType<typeof cleaned>>[] = [];
      for (let k = 0; k < seeds; k++) all.push(await cleaned(context, method, k));
      const mean = (f: (row: (typeof all)[number]) => number) => meanOf(all.map(f));
      const [ours, none] = [mean((r) => r.ours.accuracy), mean((r) => r.none.accuracy)];
      const [loss, area, theirs] = [mean((r) => r.ours.loss), mean((r) => r.ours.area), mean((r) => r.stocBiO)];
      const better = all.every((r) => r.ours.accuracy > r.none.accuracy && r.ours.area > r.stocBiO);
      return {
        measured: { accuracy: ours, "without cleaning": none, "area under the curve": area },
        holds: ours >= 0.91 && loss <= 0.65 && area >= 0.97 && better,
        detail:
          `digits, 500 training labels of which 30 % are wrong, ${seeds} seeds: mean test accuracy at least 0.91 (${figure(ours)}), mean ` +
          `validation loss at most 0.65 (${figure(loss)}; without cleaning ${figure(mean((r) => r.none.loss))}), mean area under the curve ` +
          `of -x for wrong labels at least 0.97 (${figure(area)}); on each seed (${better}) an accuracy above that without cleaning ` +
          `(mean ${figure(none)}) and an area above StocBiO's (mean ${figure(theirs)})`,
      };
    },
  };
}

async function cleaned({ rng, seed, scale }: ClaimContext, method: Method, k: number) {
  const { train, validation, test, wrong } = dirtyDigits(rng.fork(`digits/${k}`));
  const problem = dataCleaning(
    { train, validation },
    {
      ...{ weightDecay: 0.01, batchSize: 64 },
    },
  );
  const common = { lowerStepSize: 0.5, linearStepSize: 0.5, seed: `${seed}/${k}` };
  const refinement = { method: "sgd", steps: 100 } as const;
  const figures = (params: LinearParams) => {
    const found = figuresOf(params, test, validation);
    return { accuracy: found.accuracy.item(), loss: found.loss.item() };
  };
  const ours = await method.boRep(problem, { ...common, refinement, stepLength: 0.1, maxIterations: 1000 });
  // Without cleaning: all weights stay at one half.
  const none = await solveLower(problem, problem.initial.x, { tolerance: 1e-6 });
  const stocBiO = await method.stocBiO(problem, {
    ...{ ...common, refinementSteps: 100, stepSize: 100, lowerSteps: 3, terms: scale === "full" ? 20 : 5 },
    maxIterations: 1000,
  });
  return {
    ours: { ...figures(ours.y), area: areaUnderCurve(ours.x.data(), wrong) },
    none: figures(none.y),
    stocBiO: areaUnderCurve(stocBiO.x.data(), wrong),
  };
}
