import { type Claim, figure, meanOf } from "@offprint/claims";
import type { Rng } from "@offprint/tensor-core";
import { schedules } from "../src/index.js";
import { atPercent, type Method, published } from "./method.js";
import { bestRate, drawnOrder, halfOctaves } from "./softmax-regression.js";

const [INPUTS, HIDDEN, TRAIN, VALIDATION, T, BATCH] = [10, 32, 2000, 1000, 600, 16];
const RATES = halfOctaves(-12, -2);

/** A network of one hidden layer of ReLU units for two classes whose labels are noisy. */
class NoisyProblem {
  readonly inputs: Float64Array;
  readonly labels: Float64Array;
  readonly initial: Float64Array;
  private readonly active = new Float64Array(HIDDEN);

  constructor(rng: Rng) {
    const samples = TRAIN + VALIDATION;
    const normal = (n: number, std = 1) => rng.normal([n], { std, dtype: "float64" }).data() as Float64Array;
    this.inputs = normal(samples * INPUTS);
    const direction = normal(INPUTS);
    const noise = normal(samples, 2);
    this.labels = Float64Array.from({ length: samples }, (_, i) => {
      let score = noise[i];
      for (let j = 0; j < INPUTS; j++) score += this.inputs[i * INPUTS + j] * direction[j];
      return score > 0 ? 1 : 0;
    });
    // Three times the usual spread of weights: large gradients at the beginning.
    const hidden = normal(INPUTS * HIDDEN, 3 * Math.sqrt(2 / INPUTS));
    const output = normal(HIDDEN, 3 * Math.sqrt(2 / HIDDEN));
    this.initial = Float64Array.of(...hidden, ...new Float64Array(HIDDEN), ...output, 0);
  }

  /** Logistic loss of one sample; adds `scale` times its gradient where there is one. */
  private sample(p: Float64Array, i: number, gradient?: Float64Array, scale = 1): number {
    const x = i * INPUTS;
    const [bias, output, offset] = [INPUTS * HIDDEN, INPUTS * HIDDEN + HIDDEN, INPUTS * HIDDEN + 2 * HIDDEN];
    const { active } = this;
    let logit = p[offset];
    for (let h = 0; h < HIDDEN; h++) {
      let sum = p[bias + h];
      for (let j = 0; j < INPUTS; j++) sum += this.inputs[x + j] * p[h * INPUTS + j];
      active[h] = Math.max(0, sum);
      logit += active[h] * p[output + h];
    }
    const label = this.labels[i];
    const loss = Math.max(logit, 0) - logit * label + Math.log1p(Math.exp(-Math.abs(logit)));
    if (!gradient) return loss;
    const error = scale * (1 / (1 + Math.exp(-logit)) - label);
    gradient[offset] += error;
    for (let h = 0; h < HIDDEN; h++) {
      if (active[h] === 0) continue;
      gradient[output + h] += error * active[h];
      const back = error * p[output + h];
      gradient[bias + h] += back;
      for (let j = 0; j < INPUTS; j++) gradient[h * INPUTS + j] += back * this.inputs[x + j];
    }
    return loss;
  }

  /** SGD: the loss on held-out samples, and the norms of every step. */
  train(multipliers: Float64Array, rate: number, order: Int32Array) {
    const p = this.initial.slice();
    const gradient = new Float64Array(p.length);
    const [l1, l2] = [new Float64Array(T), new Float64Array(T)];
    for (let t = 0; t < T; t++) {
      gradient.fill(0);
      for (let b = 0; b < BATCH; b++) this.sample(p, order[t * BATCH + b], gradient, 1 / BATCH);
      let squares = 0;
      for (let k = 0; k < p.length; k++) {
        l1[t] += Math.abs(gradient[k]);
        squares += gradient[k] ** 2;
        p[k] -= rate * multipliers[t] * gradient[k];
      }
      l2[t] = Math.sqrt(squares);
    }
    let sum = 0;
    for (let i = TRAIN; i < TRAIN + VALIDATION; i++) sum += this.sample(p, i);
    return { loss: Number.isFinite(sum) ? sum / VALIDATION : Infinity, l1, l2 };
  }
}

/** A warm-up that nobody planted: the norms of a network fall at the beginning. */
export function warmUpAppears(method: Method = published, seeds = { quick: 3, full: 16 }): Claim {
  return {
    id: "warm-up-appears",
    statement: "Refinement finds a warm-up by itself in the training of a network",
    source: "Section 5 and figure 1, refined schedules of deep networks",
    paper: "a warm-up, then annealing",
    async run({ rng, scale, onProgress }) {
      const problems = rng.split(seeds[scale]).map((own) => {
        return { problem: new NoisyProblem(own.fork("data")), order: drawnOrder(own, TRAIN, T * BATCH) };
      });
      const mean = (multipliers: (seed: number) => Float64Array, rate: number) =>
        meanOf(problems.map(({ problem, order }, i) => problem.train(multipliers(i), rate, order).loss));
      const linear = schedules.linear(T);
      const others = { cosine: schedules.cosine(T), flat: schedules.flat(T), step: schedules.step(T) };
      const named = { linear, ...(scale === "full" ? others : {}) };
      const values: Record<string, number> = {};
      let [linearRate, place] = [0, undefined as number | undefined];
      for (const [name, multipliers] of Object.entries(named)) {
        const best = bestRate(RATES, (rate) => mean(() => multipliers, rate), place);
        values[name] = best.value;
        if (name === "linear") [linearRate, place] = [best.rate, best.place];
        await onProgress(Object.keys(values).length / (Object.keys(named).length + 1), name);
      }
      const refined = problems.map(({ problem, order }) => {
        const { l1 } = problem.train(linear, linearRate, order);
        return method.refineSchedule(l1, { norm: "l1" }).multipliers;
      });
      values["refined"] = bestRate(RATES, (rate) => mean((i) => refined[i], rate), place).value;
      const average = Float64Array.from({ length: T }, (_, t) => meanOf(refined.map((m) => m[t])));
      const [first, tenth, late] = [average[0], atPercent(average, 10), atPercent(average, 90)];
      const top = average.reduce((at, m, t) => (m > average[at] ? t : at), 0) / T;
      const ratio = values["refined"] / values["linear"];
      return {
        measured: { ...values, "multiplier at 0": first, "peak at %": 100 * top },
        holds: first <= 0.5 && first < tenth && top >= 0.1 && late <= 0.5 && ratio <= 1.03,
        detail:
          `Mean of ${seeds[scale]} networks. The refined multiplier must begin at or below one half (${figure(first)}), rise ` +
          `(${figure(tenth)} at 10 %), peak after 10 % of the run (${figure(100 * top)} %) and end low (${figure(late)} at 90 %); ` +
          `its loss on held-out samples must be within 3 % of that of linear decay (${figure(ratio, 4)}): a tie, not a gain.`,
        series: [
          {
            kind: "line",
            title: "Refined schedule of a small network, mean of the runs",
            x: { label: "step" },
            y: { label: "multiplier" },
            curves: [
              { name: "refined", y: average },
              { name: "linear", y: linear },
            ],
          },
        ],
      };
    },
  };
}
