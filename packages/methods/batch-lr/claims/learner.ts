import { type Claim, type ClaimContext, figure, meanOf, medianOf, memo } from "@offprint/claims";
import { jitSync, NonFiniteError, random } from "@offprint/tensor-core";
import { batchOf, finalLosses, type Images, initialNetwork, networkLoss, trainingImages } from "./digits-network.js";
import { batchLr, type Method } from "./method.js";
import { heavyBall } from "./training-rules.js";

const [batch, steps] = [32, 400];

/** Learning rates 2^-6 to 2^2, four momenta. */
const grid = [0, 0.5, 0.9, 0.95].flatMap((momentum) =>
  Array.from({ length: 9 }, (_, i) => [2 ** (i - 6), momentum] as const),
);

const imagesOf = ({ seed }: ClaimContext) => trainingImages(random.rng(`images/${seed}`));

/** Mean final loss of every setting of the grid over three runs; infinite where one diverged. */
const searched = memo(async (context: ClaimContext) => {
  const runs: number[][] = [];
  for (let run = 0; run < 3; run++) {
    const setting = { rates: grid, batch, steps, seed: `learner/${context.seed}/${run}` };
    runs.push(await finalLosses(imagesOf(context), heavyBall, setting, () => context.onProgress((0.7 * run) / 3)));
  }
  return grid.map((_, i) => {
    const mean = meanOf(runs.map((losses) => losses[i]));
    return Number.isFinite(mean) ? mean : Number.POSITIVE_INFINITY;
  });
});

/** The final loss of a run of the learner; infinite where it diverged. */
async function learned(
  { seed, signal }: ClaimContext,
  images: Images,
  trainByCurvature: Method["trainByCurvature"],
  run: number,
  safety: number,
) {
  const own = `learner/${seed}/${run}`;
  const wholeLoss = jitSync(networkLoss);
  try {
    const { params, history } = await trainByCurvature(
      { loss: networkLoss, initial: initialNetwork(random.rng(`${own}/weights`)), batch: batchOf(images, batch, own) },
      { steps, every: 40, lanczosSteps: 16, safety, seed: own, signal },
    );
    signal.throwIfAborted();
    const loss = wholeLoss(params, images).item();
    return { loss: Number.isFinite(loss) ? loss : Number.POSITIVE_INFINITY, history };
  } catch (error) {
    if (error instanceof NonFiniteError) return { loss: Number.POSITIVE_INFINITY, history: [] };
    throw error;
  } finally {
    wholeLoss.release();
  }
}

/** The on-the-fly learner against a grid search. */
export function learner(method: Pick<Method, "trainByCurvature"> = batchLr): Claim {
  return {
    id: "learner",
    statement: "Rates from the curvature, without search, train about as well as the best of a grid of fixed ones",
    source: "Section 6, on-the-fly learning rate and momentum",
    paper: "close to hand-tuned schedules without search",
    async run(context) {
      const images = imagesOf(context);
      const fixed = await searched(context);
      const runs = [];
      for (let run = 0; run < 3; run++) runs.push(await learned(context, images, method.trainByCurvature, run, 0.125));
      const greedy = [];
      for (let run = 0; run < 3; run++) greedy.push(await learned(context, images, method.trainByCurvature, run, 1));
      const loss = meanOf(runs.map((each) => each.loss));
      const unsafe = meanOf(greedy.map((each) => each.loss));
      const [best, median] = [Math.min(...fixed), medianOf(fixed)];
      const { history } = runs[0];
      return {
        measured: { learner: loss, "best of the grid": best, "median of the grid": median, "without safety": unsafe },
        holds: loss <= 2.2 * best && loss < 0.6 * median && unsafe >= 5 * loss,
        detail:
          `Mean final training loss of three runs: at most 2.2 times the best of ${grid.length} fixed settings ` +
          `(${figure(loss / best)}), below 0.6 of their median (${figure(loss / median)}); without the safety factor at least five ` +
          `times as high, or diverged (${figure(unsafe / loss)}).`,
        series: [
          {
            kind: "line",
            title: "Learning rate and momentum that the curvature gave",
            x: { label: "step" },
            y: { label: "rate" },
            curves: [
              { name: "learning rate", y: history.map(({ learningRate }) => learningRate) },
              { name: "momentum", y: history.map(({ momentum }) => momentum) },
            ],
          },
          {
            kind: "line",
            title: "Loss of the batches, first run",
            x: { label: "step" },
            y: { label: "loss", scale: "log" },
            curves: [{ name: "learner", y: history.map((each) => each.loss) }],
          },
        ],
      };
    },
  };
}
