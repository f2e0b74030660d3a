import type { Curve } from "@offprint/claims";
import type { random, Tensor } from "@offprint/tensor-core";
import { type SnsOptions, sinkhornNewtonSparse, type TransportProblem, type TransportResult } from "../src/index.js";

/** What a claim looks at in a result. */
export type Outcome = Omit<TransportResult, "state">;

/** What a claim is about; tests put a baseline or a broken variant in its place. */
export type Method = (problem: TransportProblem, options: SnsOptions) => Promise<Outcome>;

/** The method itself. */
export const published: Method = sinkhornNewtonSparse;

/** The random assignment problem of Section 5.1: costs uniform in [0, 1], uniform masses. */
export function randomAssignment(rng: random.Rng, n: number): TransportProblem {
  return { cost: rng.uniform([n, n], { dtype: "float64" }) };
}

/** The marginal error after each iteration, as a curve. */
export function errorCurve(name: string, { history }: Pick<TransportResult, "history">): Curve {
  return { name, x: history.map(({ iteration }) => iteration), y: history.map((record) => record.marginalError) };
}

/** Iterations of all stages. */
export function totalIterations({ iterations }: { readonly iterations: number }): number {
  return iterations;
}

/** Iterations of stage 2. */
export function secondStage({ stages }: Pick<TransportResult, "stages">): number {
  return stages.newton + stages.fallback;
}

/** sum |P - Q| over all entries. */
export function planDistance(P: Tensor, Q: Tensor): number {
  const [p, q] = [P.data(), Q.data()];
  let sum = 0;
  for (let at = 0; at < p.length; at++) sum += Math.abs(p[at] - q[at]);
  return sum;
}
