import { jitSync, requireFunction, requireObject, type Tensor } from "@offprint/tensor-core";
import { type Derivatives, derivativesOf, type VectorFunctions } from "./derivatives.js";
import { OracleCounter, type OracleCounts } from "./oracle-counts.js";

/** A part of an iteration, compiled to one function, that knows which derivatives a call evaluates. */
export interface CompiledPhase<A extends unknown[], R> {
  (...args: A): R;
  /** The derivatives that one call evaluates; known after the first. */
  readonly cost: OracleCounts;
}

/** Functions of a problem, with what tells it from others. */
export interface ProblemFunctions<U, L> extends VectorFunctions<U, L> {
  /** The user's functions, which what is compiled is kept for. */
  readonly identity: ProblemIdentity;
}

/** Problems with the same functions and the same shapes of x and y share what is compiled, wherever they begin. */
export interface ProblemIdentity {
  /** The user's functions and sets, and all else that the functions may read through `this`. */
  readonly parts: readonly object[];
  /** The trees of x and y, with the numbers and words that the problem holds. */
  readonly shapes: string;
}

/** What a problem's functions get as arguments. */
const passed = ["initial", "sample", "full", "parts"];

/**
 * What tells a problem from others: everything that it holds but where it begins and its data, which its functions get as
 * arguments. An object of a class, whose methods many share, is told by itself.
 */
export function problemIdentity(problem: object, shapes: string): ProblemIdentity {
  requireObject("problemIdentity", "problem", problem, "a problem");
  const prototype = Object.getPrototypeOf(problem);
  if (prototype !== Object.prototype && prototype !== null) return { parts: [problem], shapes };
  const held = Object.entries(problem).filter(([name, value]) => !passed.includes(name) && value !== undefined);
  const isPart = (value: unknown) => typeof value === "function" || (typeof value === "object" && value !== null);
  const words = held.map(([name, value]) => (isPart(value) ? name : `${name}=${typeof value} ${String(value)}`));
  return {
    parts: held.map(([, value]) => value).filter(isPart),
    shapes: `${shapes} ${words.join(" ")}`,
  };
}

interface Kept {
  readonly next: WeakMap<object, Kept>;
  readonly made: Map<string, unknown>;
}

const root: Kept = emptyShelf();

function emptyShelf(): Kept {
  return { next: new WeakMap(), made: new Map() };
}

/**
 * What was made for a problem under a name; made at the first time. A name belongs to one place of the code and stands for
 * one type.
 */
export function keptFor<T>(problemIdentity: ProblemIdentity, name: string, make: () => T): T {
  requireObject("keptFor", "problemIdentity", problemIdentity, "a ProblemIdentity");
  requireFunction("keptFor", "make", make);
  const { parts, shapes } = problemIdentity;
  let shelf = root;
  for (const part of parts) {
    let next = shelf.next.get(part);
    if (next === undefined) {
      next = emptyShelf();
      shelf.next.set(part, next);
    }
    shelf = next;
  }
  const key = `${name} ${shapes}`;
  if (!shelf.made.has(key)) shelf.made.set(key, make());
  return shelf.made.get(key) as T;
}

/**
 * Compiles a part of an iteration, once for all problems with the same functions: it may hold on to these, everything else
 * comes as arguments. The derivatives that it calls are counted while it is traced, where each call stands for one in
 * every run: keep them out of `scan` and `whileLoop`.
 * @param name - of the phase, with the method's name in it
 */
export function compiledPhase<U, L, A extends unknown[], R>(
  functions: ProblemFunctions<U, L>,
  name: string,
  phase: (derivatives: Derivatives<Tensor, Tensor, U, L>, ...args: A) => R,
): CompiledPhase<A, R> {
  requireObject("compiledPhase", "functions", functions, "ProblemFunctions");
  requireFunction("compiledPhase", "phase", phase);
  return keptFor(functions.identity, name, () => {
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
