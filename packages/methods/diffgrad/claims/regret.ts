import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { applyUpdates, type GradientTransformation, inverseSquareRootSchedule } from "@offprint/optim";
import { add, cast, jit, mul, type Rng, scan, square, sub, type Tensor, tensor } from "@offprint/tensor-core";
import { type Method, published } from "./method.js";

const RATE = 0.5;
/** Sequences of losses. */
const SEQUENCES = 20;
/** Steps of one compiled call; the horizons are multiples of it. */
const STRETCH = 100;
const HORIZONS = [100, 1000, 10_000, 100_000];

/** A game for each sequence, all `[SEQUENCES]`. */
interface Game {
  readonly theta: Tensor;
  readonly optimizerState: any;
  /** Losses so far. */
  readonly lost: Tensor;
  /** Sum of the targets so far. */
  readonly sum: Tensor;
}

/**
 * Regret `R(T)` of online descent on `f_t(theta) = (theta - z_t)^2 / 2`, where `z_t` is +1 with probability 0.3 and else
 * -1, against the best constant in hindsight: per horizon, of each sequence.
 */
async function regrets(
  optimizer: GradientTransformation,
  rng: Rng,
  horizons: readonly number[],
  onFraction: (fraction: number) => Promise<void>,
): Promise<number[][]> {
  const turn = ({ theta, optimizerState, lost, sum }: Game, z: Tensor): [Game, null] => {
    const gradient = sub(theta, z);
    const { updates, state } = optimizer.update(gradient, optimizerState, theta);
    const next = { theta: applyUpdates(theta, updates), optimizerState: state };
    return [{ ...next, lost: add(lost, mul(square(gradient), 0.5)), sum: add(sum, z) }, null];
  };
  const play = jit((game: Game, hits: Tensor) => scan(turn, game, sub(mul(cast(hits, "float64"), 2), 1))[0]);
  const theta = tensor(new Float64Array(SEQUENCES).fill(0.9));
  const nothing = tensor(new Float64Array(SEQUENCES));
  let game: Game = { theta, optimizerState: optimizer.init(theta), lost: nothing, sum: nothing };
  const rows: number[][] = [];
  const longest = Math.max(...horizons);
  for (let t = STRETCH; t <= longest; t += STRETCH) {
    game = await play(game, rng.bernoulli([STRETCH, SEQUENCES], { probability: 0.3 }));
    if (t % 1000 === 0) await onFraction(t / longest);
    if (!horizons.includes(t)) continue;
    // As z^2 = 1, the best constant, the mean of z, loses (t - sum^2 / t) / 2.
    rows.push(Array.from(game.lost.data(), (lost, k) => lost - (t - game.sum.data()[k] ** 2 / t) / 2));
  }
  await play.release();
  return rows;
}

/** The least part of the sequences for which something holds, over the horizons. */
function leastPart(rows: readonly (readonly number[])[], holds: (value: number, k: number, i: number) => boolean) {
  return Math.min(...rows.map((row, i) => row.filter((value, k) => holds(value, k, i)).length / row.length));
}

/**
 * The theorem: with steps that fall like 1 / sqrt(t) regret grows like sqrt(T), so that it vanishes per step. The regret
 * of a single sequence of 100 chance losses exceeds sqrt(T) once in forty, so that nine in ten must not.
 */
export function regretBound(method: Method = published, horizons: readonly number[] = HORIZONS): Claim {
  return {
    id: "regret-bound",
    statement: "With the step falling like 1/sqrt(t), regret grows no faster than sqrt(T)",
    source: "Section IV, theorem 1 and corollary 1",
    paper: "R(T) = O(sqrt(T))",
    async run(context: ClaimContext) {
      const own = await regrets(
        method({ learningRate: inverseSquareRootSchedule(RATE) }),
        context.rng.clone(),
        horizons,
        (fraction) => context.onProgress(0.8 * fraction, "step 0.5 / sqrt(t)"),
      );
      const shorter = context.scale === "full" ? horizons : horizons.slice(0, -1);
      const control = await regrets(method({ learningRate: RATE }), context.rng.clone(), shorter, (fraction) =>
        context.onProgress(0.8 + 0.2 * fraction, "constant step"),
      );
      const perRoot = (rows: readonly number[][]) => rows.map((row, i) => row.map((r) => r / Math.sqrt(horizons[i])));
      const roots = perRoot(own);
      const means = roots.map(meanOf);
      const controlMeans = perRoot(control).map(meanOf);
      const perStep = own.map((row, i) => row.map((r) => r / horizons[i]));
      const below = leastPart(roots, (value) => value <= 1);
      const falling = leastPart(perStep.slice(1), (value, k, i) => value < perStep[i][k]);
      const ratio = means[means.length - 1] / means[0];
      const broken = Math.max(...controlMeans);
      return {
        measured: Object.fromEntries(means.map((value, i) => [`R/sqrt(T) at ${horizons[i]}`, value])),
        holds: Math.max(...means) <= 1 && below >= 0.9 && ratio <= 0.8 && falling >= 0.9 && broken > 1,
        detail:
          `Over ${SEQUENCES} sequences the mean of R/sqrt(T) must stay at most 1 (largest ${figure(Math.max(...means))}) and fall ` +
          `to 0.8 of its first value (${figure(ratio)}); at every horizon nine in ten must be at most 1 (${figure(100 * below)} %) ` +
          `and have a lower R/T than at the one before (${figure(100 * falling)} %). A constant step must break the bound (its ` +
          `R/sqrt(T) reaches ${figure(broken)}).`,
        series: [
          {
            kind: "line",
            title: "Regret over the root of the horizon, mean of the sequences",
            x: { label: "T", scale: "log" },
            y: { label: "R(T) / sqrt(T)", scale: "log" },
            curves: [
              { name: "step 0.5 / sqrt(t)", x: horizons, y: means, style: "line-points" },
              { name: "constant step 0.5", x: shorter, y: controlMeans, style: "line-points" },
            ],
            references: [{ value: 1, label: "criterion" }],
          },
        ],
      };
    },
  };
}
