import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { hideObservations } from "@offprint/data";
import { latentOde, maskedMeanSquaredError } from "@offprint/ode/latent";
import { adam } from "@offprint/optim";
import { exp, type Rng, random, type Tensor, tensor, zeros } from "@offprint/tensor-core";
import { type Method, regularizedNde } from "./method.js";

/** How much is trained. */
export interface SeriesEffort {
  /** Series to learn from. */
  readonly train: number;
  /** Passes over them. */
  readonly epochs: number;
  /** Times of each. */
  readonly times: number;
}

const efforts: Record<ClaimContext["scale"], { effort: SeriesEffort; runs: number }> = {
  quick: { effort: { train: 600, epochs: 8, times: 8 }, runs: 1 },
  full: { effort: { train: 1200, epochs: 15, times: 16 }, runs: 2 },
};

/** Part of the numbers that is seen at all, and part of those that the model is not shown in the test. */
const [SEEN, HIDDEN] = [0.8, 0.25];

/**
 * Two quantities that relax to a level of each series' own, from another, at a speed of its own; measured with noise, at some times only.
 */
function relaxations(rng: Rng, n: number, m: number) {
  const times = Float64Array.from({ length: m }, (_, k) => k / (m - 1));
  const own = (name: string, low: number, high: number) =>
    rng.fork(name).uniform([n, 1, 2], { low, high, dtype: "float64" });
  const decay = exp(
    own("speed", 1, 6)
      .mul(tensor(times).reshape([1, m, 1]))
      .mul(-1),
  );
  const noise = rng.fork("noise").normal([n, m, 2], { dtype: "float64" }).mul(0.05);
  const values = own("level", 0.2, 0.8)
    .add(own("jump", -0.5, 0.5).mul(decay))
    .add(noise);
  const mask = rng.fork("mask").uniform([n, m, 2], { dtype: "float64" }).less(SEEN).cast("float64");
  const ids = Array.from({ length: n }, (_, i) => String(i));
  return { ids, names: ["a", "b"], times: tensor(times), values: values.mul(mask), mask };
}

/** A model, judged by numbers that were measured but not shown to it. */
interface Judged {
  readonly evaluations: number;
  readonly trainingEvaluations: number;
  readonly error: number;
}

async function train(
  fitOde: Method["fitOde"],
  seed: string,
  { train: count, epochs, times }: SeriesEffort,
  lambda: number | readonly [number, number],
  signal?: AbortSignal,
): Promise<Judged & { readonly plain: number }> {
  const rng = random.rng(`${seed}/series`);
  const series = relaxations(rng.fork("train"), count, times);
  const { seen, hidden } = hideObservations(relaxations(rng.fork("test"), 200, times), {
    share: HIDDEN,
    rng: rng.fork("hidden"),
  });
  const latent = latentOde({ features: 2, latent: 8, state: 32, gate: 32, rate: [16], deviation: 0.05 });
  const { params, history } = await fitOde(
    latent.model,
    latent.init(random.rng(`${seed}/weights`)),
    latent.batches(series, { batchSize: 30, divergenceWeight: 0.001 }),
    {
      ...latent.solving(series),
      optimizer: adam({ learningRate: 0.01 }),
      epochs,
      seed,
      lambda,
      maxSteps: 64,
      ...(signal && { signal }),
    },
  );
  const { values, evaluations } = latent.predictor()(params, seen);
  const error = (predicted: Tensor) => maskedMeanSquaredError(hidden.values, predicted, hidden.mask).item();
  const mean = series.values.sum([0, 1]).div(series.mask.sum([0, 1]));
  return {
    evaluations,
    trainingEvaluations: meanOf(history.map(({ figures }) => figures?.evaluations ?? 0)),
    error: error(values),
    plain: error(zeros(values.shape, "float64").add(mean)),
  };
}

/** On irregular series a latent ODE takes fewer evaluations, and is as good. `effort` other than usual is for tests. */
export function latentSeries(method: Method = regularizedNde, effort?: SeriesEffort): Claim {
  return {
    id: "latent-ode",
    statement:
      "With the error regulariser a latent ODE of irregular, partly observed series needs far fewer evaluations, and fills gaps as well",
    source: "Section 4, latent ODE of clinical records",
    paper: "fewer",
    async run({ scale, seed, signal, onProgress }) {
      const { runs } = efforts[scale];
      const all: { vanilla: Awaited<ReturnType<typeof train>>; regularized: Judged }[] = [];
      for (let run = 0; run < runs; run++) {
        const of = (lambda: number | readonly [number, number]) =>
          train(method.fitOde, `${seed}/${run}`, effort ?? efforts[scale].effort, lambda, signal);
        const vanilla = await of(0);
        await onProgress((run + 0.5) / runs);
        all.push({ vanilla, regularized: await of([2000, 200]) });
        await onProgress((run + 1) / runs);
      }
      const mean = (of: (pair: (typeof all)[number]) => number) => meanOf(all.map(of));
      const ratio = mean(({ vanilla, regularized }) => regularized.evaluations / vanilla.evaluations);
      const trained = all.every((pair) => pair.regularized.trainingEvaluations < pair.vanilla.trainingEvaluations);
      const [plain, before, after] = [
        mean(({ vanilla }) => vanilla.plain),
        mean(({ vanilla }) => vanilla.error),
        mean(({ regularized }) => regularized.error),
      ];
      return {
        measured: ratio,
        holds: ratio <= 0.6 && trained && after <= 1.15 * before && after <= 0.5 * plain,
        detail: `Evaluations to predict must fall to .6 at most (${figure(ratio)}), those to train must fall; the mean square error at numbers that the model was not shown must not grow by more than 15 % (from ${figure(before)} to ${figure(after)}), and be at most half of that of the mean of each quantity (${figure(plain)}).`,
        tables: [
          {
            title: "Irregular series",
            columns: ["model", "evaluations to predict", "to train", "mean square error of what was hidden"],
            rows: [
              ["mean of each quantity", "", "", plain],
              ...(["vanilla", "regularized"] as const).map((name) => [
                name === "vanilla" ? "latent ODE" : "latent ODE, ERNODE",
                mean((pair) => pair[name].evaluations),
                mean((pair) => pair[name].trainingEvaluations),
                mean((pair) => pair[name].error),
              ]),
            ],
          },
        ],
      };
    },
  };
}
