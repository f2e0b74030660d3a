import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { applyUpdates, type GradientTransformation, inverseSquareRootSchedule } from "@offprint/optim";
import { type Rng, type Tensor, tensor } from "@offprint/tensor-core";
import { type Method, published } from "./method.js";

const RATE = 0.5;
const SEEDS = 5;
const HORIZONS = [100, 1000, 10_000, 100_000];

/** `z_t`, +1 with probability 0.3 and else -1: one row per seed. */
function targets(rng: Rng, length: number): Int8Array[] {
  return rng.split(SEEDS).map((own) => {
    const draws = own.bernoulli([length], { probability: 0.3 }).data();
    return Int8Array.from(draws, (hit) => (hit ? 1 : -1));
  });
}

/**
 * Regret `R(T)` of online descent on `f_t(theta) = (theta - z_t)^2 / 2` against the best constant in hindsight, per
 * horizon and seed. The seeds are coordinates of one tensor.
 */
async function regrets(
  optimizer: GradientTransformation,
  z: readonly Int8Array[],
  horizons: readonly number[],
  onFraction: (fraction: number) => Promise<void>,
): Promise<number[][]> {
  const longest = Math.max(...horizons);
  let theta: Tensor = tensor(new Float64Array(SEEDS).fill(0.9));
  let state = optimizer.init(theta);
  const losses = new Float64Array(SEEDS);
  const sums = new Float64Array(SEEDS);
  const rows: number[][] = [];
  for (let t = 1; t <= longest; t++) {
    const played = theta.data();
    const gradient = new Float64Array(SEEDS);
    for (let k = 0; k < SEEDS; k++) {
      const target = z[k][t - 1];
      gradient[k] = played[k] - target;
      losses[k] += gradient[k] ** 2 / 2;
      sums[k] += target;
    }
    const result = optimizer.update(tensor(gradient), state, theta);
    theta = applyUpdates(theta, result.updates);
    state = result.state;
    if (t % 1000 === 0) await onFraction(t / longest);
    // As z^2 = 1, the best constant, the mean of z, loses (t - sum^2 / t) / 2.
    if (horizons.includes(t)) rows.push(Array.from(losses, (loss, k) => loss - (t - sums[k] ** 2 / t) / 2));
  }
  return rows;
}

/** The theorem: with steps that fall like 1 / sqrt(t) regret grows like sqrt(T), so that it vanishes per step. */
export function regretBound(method: Method = published, horizons: readonly number[] = HORIZONS): Claim {
  return {
    id: "regret-bound",
    statement: "With the step falling like 1/sqrt(t), regret grows no faster than sqrt(T)",
    source: "Section IV, theorem 1 and corollary 1",
    paper: "R(T) = O(sqrt(T))",
    async run(context: ClaimContext) {
      const z = targets(context.rng, Math.max(...horizons));
      const own = await regrets(method({ learningRate: inverseSquareRootSchedule(RATE) }), z, horizons, (fraction) =>
        context.onProgress(0.8 * fraction, "step 0.5 / sqrt(t)"),
      );
      const shorter = context.scale === "full" ? horizons : horizons.slice(0, -1);
      const control = await regrets(method({ learningRate: RATE }), z, shorter, (fraction) =>
        context.onProgress(0.8 + 0.2 * fraction, "constant step"),
      );
      const perRoot = (rows: readonly number[][]) => rows.map((row, i) => row.map((r) => r / Math.sqrt(horizons[i])));
      const roots = perRoot(own);
      const means = roots.map(meanOf);
      const controlMeans = perRoot(control).map(meanOf);
      const perStepFalls = own.every(
        (row, i) => i === 0 || row.every((r, k) => r / horizons[i] < own[i - 1][k] / horizons[i - 1]),
      );
      const largest = Math.max(...roots.flat());
      const ratio = means[means.length - 1] / means[0];
      const controlBreaks = Math.max(...perRoot(control).flat()) > 1;
      return {
        measured: Object.fromEntries(means.map((value, i) => [`R/sqrt(T) at ${horizons[i]}`, value])),
        holds: largest <= 1 && ratio <= 0.8 && perStepFalls && controlBreaks,
        detail:
          `Over ${SEEDS} seeds R/sqrt(T) must stay at most 1 (largest ${figure(largest)}) and its mean fall to 0.8 of its first ` +
          `value (${figure(ratio)}), R/T must fall for every seed (${perStepFalls ? "it does" : "it does not"}), and a constant ` +
          `step must break the bound (its R/sqrt(T) reaches ${figure(Math.max(...controlMeans))}).`,
        series: [
          {
            kind: "line",
            title: "Regret over the root of the horizon, mean of the seeds",
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
