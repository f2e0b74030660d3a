import { type Claim, figure } from "@offprint/claims";
import { add, matmul, mul, random, sub, type Tensor, tensor, transpose } from "@offprint/tensor-core";
import { type Method, published } from "./method.js";

const float64 = { dtype: "float64" } as const;
const runs = 50;

/** The squared error of Epoch-SGD falls as one over the number of gradients. */
export function epochRate(method: Method = published): Claim {
  return {
    id: "epoch-sgd-rate",
    statement:
      "Epoch-SGD's squared error falls as one over the number of gradients, where a constant step stays at its noise",
    source: "Section 4, initialization refinement",
    paper: { slope: -1 },
    async run({ rng, seed }) {
      const q = rng.orthogonal([5, 5], float64);
      const eigenvalues = [1, 2, 3, 4, 5];
      const a = matmul(mul(q, tensor(eigenvalues, float64)), transpose(q));
      // Rows are runs of their own; the minimiser is zero.
      const gradient = (y: Tensor, step: number) =>
        add(matmul(y, a), random.rng(`${seed}/gradient/${step}`).normal([runs, 5], float64));
      const initial = tensor(new Float64Array(5 * runs).fill(2), float64).reshape([runs, 5]);
      const { history } = await method.epochSgd(gradient, initial, {
        ...{ stepSize: 0.2, firstSteps: 16, epochs: 8, radius: 8 },
      });
      const points = history.map(({ gradients, y }) => ({ gradients, error: meanSquare(y) }));
      const slope = logSlope(points.slice(2));
      let y = initial;
      let [total, count] = [0, 0];
      for (let k = 0; k < 600; k++) {
        y = sub(y, mul(gradient(y, k), 0.2));
        if (k >= 100) [total, count] = [total + meanSquare(y), count + 1];
      }
      const stationary = eigenvalues.reduce((sum, l) => sum + 0.2 / (l * (2 - 0.2 * l)), 0);
      const constant = total / count;
      const holds = slope >= -1.3 && slope <= -0.7 && Math.abs(constant / stationary - 1) < 0.1;
      return {
        measured: { slope, "last error": points[points.length - 1].error, "constant step": constant },
        holds,
        detail:
          `the slope of log error against log gradients from the third epoch must lie in [-1.3, -0.7] (${figure(slope)}, ${runs} runs), ` +
          `and the constant step 0.2 stay within 10 % of its stationary error ${figure(stationary)} (${figure(constant)})`,
        series: [
          {
            kind: "line",
            title: "Error of Epoch-SGD",
            x: { label: "gradients", scale: "log" },
            y: { label: "mean squared distance", scale: "log" },
            curves: [{ name: "Epoch-SGD", x: points.map((p) => p.gradients), y: points.map((p) => p.error) }],
            references: [{ value: stationary, label: "constant step" }],
          },
        ],
      };
    },
  };
}

function meanSquare(y: Tensor): number {
  let sum = 0;
  for (const v of y.data()) sum += v * v;
  return sum / runs;
}

function logSlope(points: readonly { gradients: number; error: number }[]): number {
  const [x, y] = [points.map((p) => Math.log(p.gradients)), points.map((p) => Math.log(p.error))];
  const [mx, my] = [x, y].map((v) => v.reduce((s, t) => s + t, 0) / v.length);
  return x.reduce((s, v, i) => s + (v - mx) * (y[i] - my), 0) / x.reduce((s, v) => s + (v - mx) ** 2, 0);
}
