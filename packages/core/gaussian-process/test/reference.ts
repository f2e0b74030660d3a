import { type Kernel, matern, squaredExponential } from "../src/index.js";

/** What `fixtures/make_sklearn.py` writes. */
export interface Reference {
  readonly X: number[][];
  readonly y: number[];
  readonly Z: number[][];
  readonly lengths: number[];
  readonly cases: Record<
    string,
    { matrix: number[][]; mean: number[]; covariance: number[][]; logEvidence: number; gradient: number[] }
  >;
  readonly fitted: { logEvidence: number; theta: number[] };
}

/** The kernel of a case. */
export function usual(name: string, length: number | number[]): Kernel {
  if (name === "squaredExponential") return squaredExponential({ length });
  const smoothness = ({ matern12: 0.5, matern32: 1.5, matern52: 2.5 } as const)[name as "matern12"];
  return matern({ smoothness, length });
}
