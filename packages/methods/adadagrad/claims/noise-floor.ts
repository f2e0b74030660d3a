import type { Claim } from "@offprint/claims";
import type { GradientTransformation } from "@offprint/optim";
import { add, div, matmul, mul, random, square, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { adagradNorm, type BatchRule, perSampleStatistics, trainAdaptive } from "../src/index.js";
import { thinned } from "./softmax-20.js";

const D = 10;
const STEPS = 200;
const CAP = 20_000;
const N = 100_000;
const SEEDS = { quick: 1, full: 3 };

/** What trains; tests put something else in its place. */
export type Train = typeof trainAdaptive;

/** What is known of the true gradients of a run. */
export interface Descent {
  /** S(200) / S(40), where S(K) is the sum of the squared norms of the first K true gradients. */
  readonly ratio: number;
  /** Least squared norm of the first 100. */
  readonly least: number;
  /** S(K), K = 1, 2, ... */
  readonly sums: readonly number[];
}

/** |grad F|^2 of F(x) = sum of x^2 / (1 + x^2). */
function squaredGradient(x: ArrayLike<number>): number {
  let norm = 0;
  for (let j = 0; j < D; j++) norm += ((2 * x[j]) / (1 + x[j] * x[j]) ** 2) ** 2;
  return norm;
}

/** An optimizer that tells the parameters before every update. */
function watched(optimizer: GradientTransformation, tell: (x: ArrayLike<number>) => void): GradientTransformation {
  return {
    ...optimizer,
    update(gradients, state, params) {
      tell((params as unknown as Tensor).data());
      return optimizer.update(gradients, state, params);
    },
  };
}

/** The noise of every sample, of mean zero in all: `[N, D]`. */
function noiseOf(seed: number): Float64Array {
  const noise = random.rng(`${seed}/noise-floor`).normal([N, D], { dtype: "float64", std: 0.3 }).data() as Float64Array;
  const mean = new Float64Array(D);
  for (let i = 0; i < noise.length; i++) mean[i % D] += noise[i] / N;
  return noise.map((value, i) => value - mean[i % D]);
}

/** Samples in their order, which is random already, from the first one again once too few are left. */
function consecutive(): (size: number) => Int32Array {
  let next = 0;
  return (size) => {
    if (next + size > N) next = 0;
    const indices = new Int32Array(size);
    for (let k = 0; k < size; k++) indices[k] = next + k;
    next += size;
    return indices;
  };
}

async function descend(train: Train, noise: Float64Array, test: BatchRule, initialBatch: number): Promise<Descent> {
  const start = Float64Array.from({ length: D }, (_, j) => (j % 2 === 0 ? -1.5 : 1.5) * (0.5 + (0.7 * j) / (D - 1)));
  const norms: number[] = [];
  const sampleLoss = (x: Tensor, noise: Tensor) => add(sum(div(square(x), add(1, square(x)))), matmul(noise, x));
  await train(
    {
      params: tensor(start),
      // f_i(x) = F(x) + <noise_i, x>
      data: {
        size: N,
        batch(indices) {
          const rows = new Float64Array(indices.length * D);
          for (let k = 0; k < indices.length; k++) {
            for (let j = 0, from = indices[k] * D; j < D; j++) rows[k * D + j] = noise[from + j];
          }
          return tensor(rows, { shape: [indices.length, D] });
        },
      },
      sampleLoss,
      statistics: perSampleStatistics(sampleLoss, (x, noise) => add(noise, div(mul(2, x), square(add(1, square(x)))))),
    },
    {
      optimizer: watched(adagradNorm({ vInit: 1e-4 }), (x) => norms.push(squaredGradient(x))),
      learningRate: 1,
      initialBatch,
      maxBatch: CAP,
      maxMicro: CAP,
      test,
      steps: STEPS,
      sampling: consecutive(),
    },
  );
  let total = 0;
  const sums = norms.map((norm) => {
    total += norm;
    return total;
  });
  return { ratio: sums[STEPS - 1] / sums[39], least: Math.min(...norms.slice(0, 100)), sums };
}

const contenders = [
  { name: "norm test, eta 0.5", test: { kind: "norm", eta: 0.5 }, batch: 4 },
  { name: "norm test, eta 1", test: { kind: "norm", eta: 1 }, batch: 4 },
  { name: "constant, 4", test: { kind: "constant" }, batch: 4 },
  { name: "constant, 64", test: { kind: "constant" }, batch: 64 },
] as const;

/** Whether one seed's runs, in the order of the contenders, bear the claim out. */
export function judgeNoiseFloor([half, one, small, medium]: readonly Pick<Descent, "least" | "ratio">[]): boolean {
  const stops = half.ratio < 1.01 && one.ratio < 1.02;
  const floors = small.ratio > 1.2 && medium.ratio >= 1.03 && medium.ratio <= 1.08;
  return stops && floors && half.least < 1e-4 && one.least < 4e-4 && small.least > 3e-3;
}

/** The guarantee: gradients fall as 1/K with the test, and to a floor of noise without. */
export function noiseFloor(train: Train = trainAdaptive): Claim {
  return {
    id: "noise-floor",
    statement:
      "With the norm test the squared gradients sum up to a constant (a rate of 1/K); with a constant batch size they reach a floor of noise",
    source: "Theorem on AdAdaGradNorm",
    paper: "O(1/K) against O(1/sqrt(K))",
    async run(context) {
      const seeds: Descent[][] = [];
      const count = SEEDS[context.scale];
      for (let k = 0; k < count; k++) {
        const seed = context.seed * SEEDS.full + k;
        const noise = noiseOf(seed);
        const runs: Descent[] = [];
        for (const [i, { test, batch }] of contenders.entries()) {
          runs.push(await descend(train, noise, test, batch));
          await context.onProgress((k + (i + 1) / contenders.length) / count);
        }
        seeds.push(runs);
      }
      const worst = (i: number, key: "least" | "ratio") => Math.max(...seeds.map((runs) => runs[i][key]));
      const rows = contenders.flatMap(({ name }, i) => seeds.map((runs, k) => [name, k, runs[i].ratio, runs[i].least]));
      return {
        measured: {
          "eta 0.5": worst(0, "ratio"),
          "eta 1": worst(1, "ratio"),
          "batch 4": worst(2, "ratio"),
          "batch 64": worst(3, "ratio"),
        },
        holds: seeds.every(judgeNoiseFloor),
        detail:
          `S(200)/S(40) of the sums of squared true gradients, largest of ${seeds.length} runs each: ${worst(0, "ratio").toFixed(4)} (eta 0.5, below 1.01), ${worst(1, "ratio").toFixed(4)} (eta 1, below 1.02), ` +
          `${worst(2, "ratio").toFixed(3)} (batch 4, above 1.2), ${worst(3, "ratio").toFixed(3)} (batch 64, 1.03 to 1.08); least squared gradients of 100 steps below 1e-4, below 4e-4, above 3e-3 for the first three. On each seed.`,
        tables: [
          { title: "Squared true gradients", columns: ["batch size", "seed", "S(200)/S(40)", "least of 100"], rows },
        ],
        series: [
          {
            kind: "line",
            title: "Sum of squared true gradients, first seed",
            x: { label: "steps" },
            y: { label: "S" },
            curves: contenders.map(({ name }, i) => ({ name, ...thinned(seeds[0][i].sums) })),
          },
        ],
      };
    },
  };
}
