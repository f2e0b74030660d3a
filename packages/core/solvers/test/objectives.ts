import type { ObjectiveWithGradient } from "../src/index.js";

/** The chained function of Rosenbrock: 0 at (1, ..., 1). */
export const rosenbrock: ObjectiveWithGradient = (x, gradient) => {
  gradient.fill(0);
  let sum = 0;
  for (let i = 0; i + 1 < x.length; i++) {
    const t = x[i + 1] - x[i] * x[i];
    sum += 100 * t * t + (1 - x[i]) ** 2;
    gradient[i] += -400 * x[i] * t - 2 * (1 - x[i]);
    gradient[i + 1] += 200 * t;
  }
  return sum;
};

/** `x A x / 2 - b x` with a symmetric `A`. */
export function quadratic(matrix: number[][], linear: number[]): ObjectiveWithGradient {
  return (x, gradient) => {
    let value = 0;
    for (let i = 0; i < x.length; i++) {
      const product = matrix[i].reduce((s, v, j) => s + v * x[j], 0);
      gradient[i] = product - linear[i];
      value += 0.5 * x[i] * product - linear[i] * x[i];
    }
    return value;
  };
}
