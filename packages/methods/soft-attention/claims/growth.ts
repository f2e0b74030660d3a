import { meanOf } from "@offprint/claims";

/** Least-squares slope of `log y` over `log x`: the power with which y grows. */
export function growth(x: readonly number[], y: readonly number[]): number {
  const [u, v] = [x.map(Math.log), y.map(Math.log)];
  const [meanU, meanV] = [meanOf(u), meanOf(v)];
  const covariance = u.reduce((total, each, i) => total + (each - meanU) * (v[i] - meanV), 0);
  return covariance / u.reduce((total, each) => total + (each - meanU) ** 2, 0);
}
