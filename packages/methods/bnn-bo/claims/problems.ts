import { random, requireInteger } from "@offprint/tensor-core";
import type { Variable } from "../src/index.js";

/** A function that optimisers are tried on. */
export interface Problem {
  /** What can be varied. */
  readonly space: readonly Variable[];
  /** Its values at settings, one for each objective. */
  readonly objective: (settings: readonly (string | number)[]) => number[];
  /** Whether they are maximised. */
  readonly maximize: boolean;
  /** Of several objectives: what is just not good enough. */
  readonly reference?: readonly number[];
  /** The best value, or the largest hypervolume, where it is known. */
  readonly optimum?: number;
}

const box = (lower: number, upper: number, d: number): Variable[] =>
  Array.from({ length: d }, () => ({ kind: "real", lower, upper }));
const real = (f: (x: number[]) => number[]) => (settings: readonly (string | number)[]) => f(settings.map(Number));

function braninAt(a: number, b: number): number {
  const inner = b - (5.1 / (4 * Math.PI ** 2)) * a * a + (5 / Math.PI) * a - 6;
  return inner ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(a) + 10;
}

/** Branin's function of two variables, to be minimised. */
export function branin(): Problem {
  return {
    space: [...box(-5, 10, 1), ...box(0, 15, 1)],
    objective: real(([a, b]) => [braninAt(a, b)]),
    maximize: false,
    optimum: 0.39788735772973816,
  };
}

const HARTMANN = {
  weights: [1, 1.2, 3, 3.2],
  A: [
    [10, 3, 17, 3.5, 1.7, 8],
    [0.05, 10, 17, 0.1, 8, 14],
    [3, 3.5, 1.7, 10, 17, 8],
    [17, 8, 0.05, 10, 0.1, 14],
  ],
  P: [
    [1312, 1696, 5569, 124, 8283, 5886],
    [2329, 4135, 8307, 3736, 1004, 9991],
    [2348, 1451, 3522, 2883, 3047, 6650],
    [4047, 8828, 8732, 5743, 1091, 381],
  ],
};

/** Hartmann's function of six variables, to be minimised. */
export function hartmann6(): Problem {
  const { weights, A, P } = HARTMANN;
  const well = (x: number[], i: number) =>
    weights[i] * Math.exp(-x.reduce((sum, v, j) => sum + A[i][j] * (v - P[i][j] / 1e4) ** 2, 0));
  return {
    space: box(0, 1, 6),
    objective: real((x) => [-weights.reduce((sum, _, i) => sum + well(x, i), 0)]),
    maximize: false,
    optimum: -3.32237,
  };
}

/** Ackley's function of d variables, to be minimised. */
export function ackley(d = 10): Problem {
  return {
    space: box(-32.768, 32.768, d),
    objective: real((x) => {
      const squares = x.reduce((sum, v) => sum + v * v, 0) / d;
      const waves = x.reduce((sum, v) => sum + Math.cos(2 * Math.PI * v), 0) / d;
      return [-20 * Math.exp(-0.2 * Math.sqrt(squares)) - Math.exp(waves) + 20 + Math.E];
    }),
    maximize: false,
    optimum: 0,
  };
}

/** Branin's and Currin's functions together, to be minimised. */
export function braninCurrin(): Problem {
  return {
    space: box(0, 1, 2),
    objective: real(([a, b]) => {
      const rise = b === 0 ? 1 : 1 - Math.exp(-1 / (2 * b));
      const currin = (2300 * a ** 3 + 1900 * a * a + 2092 * a + 60) / (100 * a ** 3 + 500 * a * a + 4 * a + 20);
      return [braninAt(15 * a - 5, 15 * b), rise * currin];
    }),
    maximize: false,
    reference: [18, 6],
    optimum: 59.36,
  };
}

/** A random network of two layers of 256 units, all weights standard normal, on the unit cube, to be maximised. */
export function networkDraw(d: number, seed: number | string = 1): Problem {
  requireInteger("networkDraw", "d", d, 1);
  const rng = random.rng(seed);
  const draw = (...shape: number[]) => Float64Array.from(rng.normal(shape, { dtype: "float64" }).data());
  const units = 256;
  const [W1, b1, W2, b2, W3, b3] = [draw(d, units), draw(units), draw(units, units), draw(units), draw(units), draw(1)];
  const layer = (x: ArrayLike<number>, W: Float64Array, b: Float64Array) => {
    const out = Float64Array.from(b);
    for (let i = 0; i < x.length; i++) for (let j = 0; j < units; j++) out[j] += x[i] * W[i * units + j];
    return out.map(Math.tanh);
  };
  return {
    space: box(0, 1, d),
    objective: real((x) => {
      const h = layer(layer(x, W1, b1), W2, b2);
      return [h.reduce((sum, v, j) => sum + v * W3[j], b3[0])];
    }),
    maximize: true,
  };
}
