import { random } from "@offprint/tensor-core";
import type { Variable } from "../src/index.js";
import type { Problem } from "./problems.js";

const [STAGES, RUNS] = [25, 100];
const PRODUCTS = {
  price: [1, 0.8, 0.7, 0.5],
  discount: [0.2, 0.3, 0.3, 0],
  resistance: [1 / 7, 2.5 / 7, 2 / 7, 0.5 / 7],
  beta: [2 / 7, 3 / 7, 3 / 7, 5 / 7],
};

/** Pest control at 25 stages: nothing or one of four products at each. Price and infestation, to be minimised. */
export function pestControl(seed: number | string = 0): Problem {
  const draws = (name: string, beta: number) =>
    Float64Array.from(random.rng(seed).fork(name).beta([RUNS], { alpha: 1, beta, dtype: "float64" }).data());
  const spread = draws("spread", 17 / 3);
  const infested = draws("infested", 30);
  return {
    space: Array.from({ length: STAGES }, (): Variable => ({ kind: "choice", values: [0, 1, 2, 3, 4] })),
    objective: (settings) => {
      const used = [1, 2, 3, 4].map((t) => settings.filter((each) => each === t).length);
      const beta = [...PRODUCTS.beta];
      let p = infested;
      let score = 0;
      for (const choice of settings) {
        score += p.filter((v) => v > 0.1).length / RUNS;
        if (choice === 0) p = p.map((v, k) => spread[k] * (1 - v) + v);
        else {
          const t = Number(choice) - 1;
          const control = draws(`control ${t}`, beta[t]);
          p = p.map((v, k) => (1 - control[k]) * v);
          beta[t] += PRODUCTS.resistance[t] / STAGES;
          score += PRODUCTS.price[t] * (1 - (PRODUCTS.discount[t] / STAGES) * used[t]);
        }
      }
      return [score];
    },
    maximize: false,
  };
}

/** A random polynomial: products of four shifted variables each, to be maximised. */
export function polynomial(d: number, seed: number | string = 1): Problem {
  const centre = random.rng(seed).normal([d], { dtype: "float64" }).data();
  const columns = d / 4;
  return {
    space: Array.from({ length: d }, (): Variable => ({ kind: "real", lower: 0, upper: 1 })),
    objective: (settings) => {
      const z = settings.map((v, k) => Number(v) - centre[k]);
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += z[k] * z[columns + k] * z[2 * columns + k] * z[3 * columns + k];
      return [sum];
    },
    maximize: true,
  };
}

/** A reaction with diffusion (the Brusselator): the variance of its pattern, to be minimised. Sizes may be smaller than the paper's. */
export function brusselator({
  grid = 64,
  time = 20,
  step = 1e-3,
  seed = 0,
}: {
  grid?: number;
  time?: number;
  step?: number;
  seed?: number | string;
} = {}): Problem {
  const noise = random
    .rng(seed)
    .normal([grid * grid], { dtype: "float64" })
    .data();
  const weight = (i: number) => (i < 2 || i >= grid - 2 ? 1 : 0);
  return {
    space: [
      ...Array.from({ length: 2 }, (): Variable => ({ kind: "real", lower: 0.1, upper: 5 })),
      ...Array.from({ length: 2 }, (): Variable => ({ kind: "real", lower: 0.01, upper: 5 })),
    ],
    objective: (settings) => {
      const [a, b, d0, d1] = settings.map(Number);
      let u = new Float64Array(grid * grid).fill(a);
      let v = Float64Array.from(noise, (n) => b / a + 0.1 * n);
      const laplacian = (w: Float64Array, i: number, j: number) => {
        const at = (r: number, c: number) =>
          w[Math.min(grid - 1, Math.max(0, r)) * grid + Math.min(grid - 1, Math.max(0, c))];
        return at(i - 1, j) + at(i + 1, j) + at(i, j - 1) + at(i, j + 1) - 4 * w[i * grid + j];
      };
      for (let t = 0; t < Math.round(time / step); t++) {
        const [nextU, nextV] = [new Float64Array(u.length), new Float64Array(u.length)];
        for (let i = 0; i < grid; i++) {
          for (let j = 0; j < grid; j++) {
            const k = i * grid + j;
            const reaction = u[k] * u[k] * v[k];
            nextU[k] = u[k] + step * (d0 * laplacian(u, i, j) + a - (b + 1) * u[k] + reaction);
            nextV[k] = v[k] + step * (d1 * laplacian(v, i, j) + b * u[k] - reaction);
          }
        }
        [u, v] = [nextU, nextV];
      }
      const weighted = [u, v].flatMap((w) =>
        Array.from(w, (value, k) => value * (weight(Math.floor(k / grid)) || weight(k % grid) ? 1 : 0.1)),
      );
      const mean = weighted.reduce((sum, value) => sum + value, 0) / weighted.length;
      const variance = weighted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / weighted.length;
      return [Number.isFinite(variance) ? variance : 1e5 * (1 + Math.abs(noise[0]))];
    },
    maximize: false,
  };
}
