import { type Claim, type ClaimContext, meanOf } from "@offprint/claims";
import { adam, applyUpdates } from "@offprint/optim";
import { matmul, random, type Tensor, tensor, transpose } from "@offprint/tensor-core";
import { linearModel, losses } from "../src/index.js";
import { type Method, targetSurrogates } from "./method.js";

const DT = 0.05;
const A = [
  [1, DT, 0, 0],
  [0, 1, -0.5 * DT, 0],
  [0, 0, 1, DT],
  [0, 0, 8 * DT, 1],
];
const B = [0, DT, 0, -2 * DT];
const K = [-2.540277, -4.796268, -18.983391, -6.718992];
const START = [1, 0.3, 0.05, 0.2];
const [ROUNDS, ROLLOUTS, LENGTH, FEATURES] = [40, 10, 10, 5];

/** The policy under training: features of a state times weights. */
interface Learner {
  readonly weights: () => ArrayLike<number>;
  /** Learns from the states of a round and what the expert would do there; gives the loss before. */
  learn(x: Tensor, expert: Tensor, round: number): Promise<number> | number;
}

function features([a, b, c, d]: readonly number[]): number[] {
  return [a, b, c, d, 10 * c ** 3];
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

/** States that a mixture of expert and learner visits, and the expert's actions in them. */
function rollOut(rng: random.Rng, round: number, weights: ArrayLike<number>) {
  const x: number[] = [];
  const expert: number[] = [];
  for (let k = 0; k < ROLLOUTS; k++) {
    let state = Array.from(rng.normal([4], { dtype: "float64" }).data(), (each, i) => each * START[i]);
    const noise = rng.normal([LENGTH, 4], { dtype: "float64" }).data();
    const chance = rng.uniform([LENGTH], { dtype: "float64" }).data();
    for (let t = 0; t < LENGTH; t++) {
      const wanted = -dot(K, state);
      const seen = features(state);
      x.push(...seen);
      expert.push(wanted);
      const u = chance[t] < Math.max(0, 1 - round / 10) ? wanted : dot(seen, weights);
      const before = state;
      state = A.map((row, i) => {
        const next = dot(row, before) + B[i] * u + 0.01 * noise[t * 4 + i];
        return Math.min(3, Math.max(-3, next));
      });
    }
  }
  const n = ROLLOUTS * LENGTH;
  return { x: tensor(Float64Array.from(x), { shape: [n, FEATURES] }), expert: tensor(Float64Array.from(expert)) };
}

/** Sum over the rounds of the losses before each update. */
async function imitate(seed: number, learner: Learner): Promise<number> {
  const rng = random.rng(`${seed}/rollouts`);
  let total = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { x, expert } = rollOut(rng, round, learner.weights());
    total += await learner.learn(x, expert, round);
  }
  return total;
}

function surrogates(method: Method, m: number): Learner {
  const online = method.online(linearModel(FEATURES), { eta: 1, inner: { steps: m } });
  return {
    weights: () => online.params.data(),
    learn: async (x, expert) => (await online.observe(x, losses.squared(expert).oracle))?.loss ?? Number.NaN,
  };
}

/** Steps by the gradient of the round's loss. */
function byGradient(step: (gradient: Tensor, weights: Tensor, round: number) => Tensor): Learner {
  let weights = tensor(new Float64Array(FEATURES), { shape: [FEATURES, 1] });
  return {
    weights: () => weights.data(),
    learn(x, expert, round) {
      const r = matmul(x, weights).sub(expert.reshape([-1, 1]));
      weights = step(matmul(transpose(x), r).mul(1 / x.shape[0]), weights, round);
      return 0.5 * r.square().mean().item();
    },
  };
}

function descent(learningRate: number): Learner {
  return byGradient((gradient, weights, round) => weights.sub(gradient.mul(learningRate / Math.sqrt(round + 1))));
}

function byAdam(learningRate: number): Learner {
  const optimizer = adam({ learningRate });
  let state: any;
  return byGradient((gradient, weights) => {
    const next = optimizer.update(gradient, state ?? optimizer.init(weights), weights);
    state = next.state;
    return applyUpdates(weights, next.updates) as Tensor;
  });
}

/** The least of the sums that finite learners make. */
async function leastOf(seed: number, learners: readonly Learner[]): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (const learner of learners) {
    const total = await imitate(seed, learner);
    if (total < least) least = total;
  }
  return least;
}

/** Many steps on each round's surrogate imitate an expert with a lower cumulative loss. */
export function imitation(method: Method = targetSurrogates, quickRuns = 3): Claim {
  return {
    id: "imitation",
    statement: "In online imitation, many steps on each round's surrogate lower the cumulative loss at equal queries",
    source: "Section 5, online imitation",
    paper: "lower cumulative loss than OGD, Adam, AdaGrad (curves)",
    async run(context: ClaimContext) {
      const runs = context.scale === "full" ? 8 : quickRuns;
      const sums: Record<string, number[]> = {};
      for (let k = 0; k < runs; k++) {
        const seed = context.seed * runs + k;
        const add = (name: string, value: number) => {
          sums[name] ??= [];
          sums[name].push(value);
        };
        for (const m of [100, 10, 1]) add(`surrogates, m = ${m}`, await imitate(seed, surrogates(method, m)));
        add("Adam", await leastOf(seed, [0.1, 0.5, 1, 2].map(byAdam)));
        add("gradient descent", await leastOf(seed, [0.1, 0.3, 1, 3].map(descent)));
        await context.onProgress((k + 1) / runs, "rounds of imitation");
      }
      const ours = sums["surrogates, m = 100"];
      const ratios = ours.map((each, k) => each / Math.min(sums.Adam[k], sums["gradient descent"][k]));
      const worst = Math.max(...ratios);
      return {
        measured: { "m = 100": meanOf(ours), Adam: meanOf(sums.Adam), "largest ratio": worst },
        holds: worst <= 0.2,
        detail: `Sum of the losses of ${ROUNDS} rounds, mean of ${runs} runs: m = 100 ${meanOf(ours).toFixed(1)}, Adam ${meanOf(sums.Adam).toFixed(1)}, online gradient descent ${meanOf(sums["gradient descent"]).toFixed(1)}, learning rates chosen afterwards. Largest ratio to the better one in a run: ${worst.toFixed(2)}, to be <= 0.2.`,
        tables: [
          {
            title: "Sum of the losses",
            columns: ["learner", "mean", "least", "largest"],
            rows: Object.entries(sums).map(([name, values]) => [
              name,
              meanOf(values),
              Math.min(...values),
              Math.max(...values),
            ]),
          },
        ],
      };
    },
  };
}
