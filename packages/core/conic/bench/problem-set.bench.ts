import { type ConicMethod, solveConic } from "@offprint/conic";
import { problemSet } from "../test/problem-set.js";

/* How many easy problems of every kind converge, in how many iterations, and how far from the exact value? */

interface Row {
  problems: number;
  converged: number;
  iterations: number;
  largestError: number;
}

/** Runs the whole set. */
export async function run(): Promise<void> {
  for (const method of ["interior-point", "splitting"] as const) {
    console.log(method);
    console.table(await solveAll(method));
  }
}

async function solveAll(method: ConicMethod): Promise<Record<string, Row>> {
  const rows: Record<string, Row> = {};
  for (const { group, name, problem, value } of problemSet()) {
    const { status, objective, iterations } = await solveConic(problem, { method });
    rows[group] ??= { problems: 0, converged: 0, iterations: 0, largestError: 0 };
    const row = rows[group];
    row.problems++;
    if (status === "converged") row.converged++;
    else console.log(`${group}, ${name}: ${status} after ${iterations} iterations`);
    row.iterations = Math.max(row.iterations, iterations);
    if (value !== undefined) {
      row.largestError = Math.max(row.largestError, Math.abs(objective - value) / (1 + Math.abs(value)));
    }
  }
  return rows;
}
