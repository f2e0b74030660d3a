import { jitSync, type Tensor } from "@offprint/tensor-core";
import { type Derivatives, derivativesOf, type VectorFunctions } from "./derivatives.js";
import { OracleCounter, type OracleCounts } from "./oracle-counts.js";

/** A part of an iteration, compiled to one function, that knows which derivatives a call evaluates. */
export interface CompiledPhase<A extends unknown[], R> {
  (...args: A): R;
  /** The derivatives that one call evaluates; known after the first. */
  readonly cost: OracleCounts;
}

/** Functions of a problem, an object that what is compiled is kept for. */
export interface ProblemFunctions<U, L> extends VectorFunctions<U, L> {
  /** The user's problem. */
  readonly problem: object;
}

const kept = new WeakMap<object, Map<string, unknown>>();

/**
 * What was made for a problem under a name; made at the first time. A name belongs to one place of the code and stands for
 * one type.
 */
export function keptFor<T>(problem: object, name: string, make: () => T): T {
  let all = kept.get(problem);
  if (all === undefined) {
    all = new Map();
    kept.set(problem, all);
  }
  if (!all.has(name)) all.set(name, make());
  return all.get(name) as T;
}

/**
 * Compiles a part of an iteration, once for all runs with the same problem: it may hold on to the problem, everything else
 * comes as arguments. The derivatives that it calls are counted while it is traced, where each call stands for one in
 * every run: keep them out of `scan` and `whileLoop`.
 * @param name - of the phase, with the method's name in it
 */
export function compiledPhase<U, L, A extends unknown[], R>(
  functions: ProblemFunctions<U, L>,
  name: string,
  phase: (derivatives: Derivatives<Tensor, Tensor, U, L>, ...args: A) => R,
): CompiledPhase<A, R> {
  return keptFor(functions.problem, name, () => {
    const counter = new OracleCounter();
    const derivatives = derivativesOf(functions, counter);
    const compiled: (...args: A) => R = jitSync((...args: A): R => {
      counter.reset();
      return phase(derivatives, ...args);
    });
    return Object.defineProperty((...args: A): R => compiled(...args), "cost", {
      get: () => counter.counts,
    }) as CompiledPhase<A, R>;
  });
}
