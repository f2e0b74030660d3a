import { jitSync, type Tensor } from "@offprint/tensor-core";
import type { Derivatives } from "./derivatives.js";
import { addCounts, noCounts, OracleCounter, type OracleCounts, type OracleName } from "./oracle-counts.js";
import type { BilevelProblem } from "./problem.js";
import { VectorProblem } from "./vector-problem.js";

/** The derivatives of a problem, compiled, with the trees of the user; every call is counted. */
export interface Oracles<X, Y, U, L> extends Derivatives<X, Y, U, L> {
  /** The problem that they are of. */
  readonly problem: BilevelProblem<X, Y, U, L>;
  /** How often each was called so far. */
  readonly counts: OracleCounts;
  /** Begins to count again. */
  resetCounts(): void;
}

/**
 * The derivatives of a problem's functions, found by automatic differentiation, compiled at their first call and counted.
 * @throws ValueError for what is no problem; ShapeError, at a call, where a function gives no scalar.
 * @example
 * const { hvpYY, counts } = oracles({ initial: { x: 0, y: [0, 0] }, upper, lower });
 */
export function oracles<X, Y, U = null, L = U>(problem: BilevelProblem<X, Y, U, L>): Oracles<X, Y, U, L> {
  const vectors = new VectorProblem("oracles", problem);
  const raw = vectors.derivatives(new OracleCounter());
  const { x: xs, y: ys } = vectors;
  let counts = noCounts();
  const counted = <A extends unknown[], R>(name: OracleName, f: (...args: A) => R): ((...args: A) => R) => {
    const one = { ...noCounts(), [name]: 1 };
    const compiled: (...args: A) => R = jitSync((...args: A): R => f(...args));
    return (...args) => {
      counts = addCounts(counts, one);
      return compiled(...args);
    };
  };
  const both = ({ x, y }: { readonly x: Tensor; readonly y: Tensor }) => ({ x: xs.unravel(x), y: ys.unravel(y) });
  return {
    problem,
    get counts() {
      return counts;
    },
    resetCounts() {
      counts = noCounts();
    },
    gradXF: counted("gradXF", (x: X, y: Y, batch: U) => xs.unravel(raw.gradXF(xs.ravel(x), ys.ravel(y), batch))),
    gradYF: counted("gradYF", (x: X, y: Y, batch: U) => ys.unravel(raw.gradYF(xs.ravel(x), ys.ravel(y), batch))),
    gradsF: counted("gradsF", (x: X, y: Y, batch: U) => both(raw.gradsF(xs.ravel(x), ys.ravel(y), batch))),
    gradXG: counted("gradXG", (x: X, y: Y, batch: L) => xs.unravel(raw.gradXG(xs.ravel(x), ys.ravel(y), batch))),
    gradYG: counted("gradYG", (x: X, y: Y, batch: L) => ys.unravel(raw.gradYG(xs.ravel(x), ys.ravel(y), batch))),
    hvpYY: counted("hvpYY", (x: X, y: Y, v: Y, batch: L) =>
      ys.unravel(raw.hvpYY(xs.ravel(x), ys.ravel(y), ys.ravel(v), batch)),
    ),
    mixedXY: counted("mixedXY", (x: X, y: Y, v: Y, batch: L) =>
      xs.unravel(raw.mixedXY(xs.ravel(x), ys.ravel(y), ys.ravel(v), batch)),
    ),
    productsG: counted("productsG", (x: X, y: Y, v: Y, batch: L) =>
      both(raw.productsG(xs.ravel(x), ys.ravel(y), ys.ravel(v), batch)),
    ),
  };
}
