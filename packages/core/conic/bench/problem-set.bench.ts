import { type ConicProblem, solveConic } from "@offprint/conic";
import { problemSet } from "../test/problem-set.js";

/* How many easy problems of every kind end solved, in how many iterations, and how far from the exact value? */

interface Row {
  problems: number;
  solved: number;
  iterations: number;
  largestError: number;
}

/** Runs the whole set. */
export async function run(): Promise<void> {
  const rows: Record<string, Row> = {};
  for (const { group, name, problem, value } of problemSet()) {
    const { status, objective, iterations } = solveConic(problem as ConicProblem);
    rows[group] ??= { problems: 0, solved: 0, iterations: 0, largestError: 0 };
    const row = rows[group];
    row.problems++;
    if (status === "solved") row.solved++;
    else console.log(`${group}, ${name}: ${status} after ${iterations} iterations`);
    row.iterations = Math.max(row.iterations, iterations);
    if (value !== undefined) {
      row.largestError = Math.max(row.largestError, Math.abs(objective - value) / (1 + Math.abs(value)));
    }
  }
  console.table(rows);
}
