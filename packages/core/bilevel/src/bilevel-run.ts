import {
  type Figures,
  figuresOf,
  type RunOptions,
  type RunState,
  requireStateLike,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import {
  checkOptions,
  NonFiniteError,
  random,
  requireInteger,
  requireObject,
  requirePositive,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { addCounts, noCounts, type OracleCounts } from "./oracle-counts.js";
import type { VectorProblem } from "./vector-problem.js";

/** A number, or one for each iteration, which count from 1. */
export type Rate = number | ((iteration: number) => number);

/** What is told of an iteration. */
export interface BilevelRecord {
  /** Iterations done, from 1. */
  readonly iteration: number;
  /** Euclidean norm of the direction that x moved along: an estimate of the gradient's. */
  readonly hypergradientNorm: number;
  /** The derivatives evaluated so far. */
  readonly counts: OracleCounts;
  /** What `evaluate` gave after it. */
  readonly evaluation?: Readonly<Record<string, number>>;
}

/** Where a run stands; x, y and what the method keeps beside them as vectors. */
export interface BilevelPoint<E> {
  /** The method that got there. */
  readonly of: string;
  /** Iterations done. */
  readonly iteration: number;
  /** Steps on y done before the first iteration. */
  readonly refined: number;
  /** The upper variables, `[dx]`. */
  readonly x: Tensor;
  /** The lower variables, `[dy]`. */
  readonly y: Tensor;
  /** What the method keeps beside them. */
  readonly extra: E;
  /** Euclidean norm of the last direction; null before the first. */
  readonly hypergradientNorm: number | null;
  /** The derivatives evaluated so far. */
  readonly counts: OracleCounts;
}

/** A state to go on from; a tree. */
export type BilevelState<E> = RunState<BilevelPoint<E>, BilevelRecord>;

/** Options of all bilevel methods. */
export interface BilevelRunOptions<X, Y, E> extends RunOptions<BilevelRecord, BilevelState<E>> {
  /** Iterations at most, steps of x. */
  readonly maxIterations: number;
  /** Decides which batches are drawn. Default 0. */
  readonly seed?: number | string;
  /** Figures of x and y to record after each iteration. */
  readonly evaluate?: (point: { readonly x: X; readonly y: Y }, iteration: number) => Figures;
}

/** The names of {@link BilevelRunOptions}, for `checkOptions`. */
export const bilevelRunOptionNames = ["maxIterations", "seed", "evaluate", ...runOptionNames] as const;

/** What bilevel methods give. */
export interface BilevelResult<X, Y, E> {
  /** The last upper variables. */
  readonly x: X;
  /** The last lower variables. */
  readonly y: Y;
  /** Iterations done. */
  readonly iterations: number;
  /** How it ended. */
  readonly status: Status;
  /** The derivatives evaluated. */
  readonly counts: OracleCounts;
  /** The record of every iteration. */
  readonly history: readonly BilevelRecord[];
  /** What `resume` goes on from. */
  readonly state: BilevelState<E>;
}

/** What an iteration changes. */
export interface BilevelMove<E> {
  /** The next x. */
  readonly x: Tensor;
  /** The next y. */
  readonly y: Tensor;
  /** What the method keeps, after it. */
  readonly extra: E;
  /** Norm of the direction, a scalar. */
  readonly hypergradientNorm: Tensor;
  /** The derivatives that were evaluated. */
  readonly cost: OracleCounts;
}

/** A method as data for {@link runBilevel}. */
export interface BilevelMethod<U, L, E> {
  /** What it keeps beside x and y at the beginning; states to resume must be like it, but where it is null. */
  begin(x: Tensor, y: Tensor): E;
  /** An iteration, which count from 1; batches are drawn in the order in which they are asked for. */
  iterate(point: BilevelPoint<E>, iteration: number, draw: { upper(): U; lower(): L }): BilevelMove<E>;
  /** Steps on y alone before the first iteration. Default none. */
  readonly refinement?: {
    readonly steps: number;
    /** The step from `refined` steps to one more. */
    step(point: BilevelPoint<E>, draw: { upper(): U; lower(): L }): Omit<BilevelMove<E>, "x" | "hypergradientNorm">;
  };
}

/** Runs a bilevel method under the contract of all long work. The caller has checked the names of its options. */
export async function runBilevel<X, Y, U, L, E>(
  vectors: VectorProblem<X, Y, U, L>,
  method: BilevelMethod<U, L, E>,
  options: BilevelRunOptions<X, Y, E>,
): Promise<BilevelResult<X, Y, E>> {
  requireObject("runBilevel", "vectors", vectors, "a VectorProblem");
  requireObject("runBilevel", "method", method, "a BilevelMethod");
  requireObject("runBilevel", "options", options, "{ maxIterations }");
  const { owner } = vectors;
  const { maxIterations, seed = 0, evaluate } = options;
  requireInteger(owner, "maxIterations", maxIterations, 0);
  if (evaluate !== undefined && typeof evaluate !== "function") {
    throw new ValueError(`${owner}: evaluate must be a function of { x, y }, got ${typeof evaluate}`);
  }
  const { refinement } = method;
  const beginning = (): BilevelPoint<E> => ({
    ...{ of: owner, iteration: 0, refined: 0, ...vectors.initial, counts: noCounts(), hypergradientNorm: null },
    extra: method.begin(vectors.initial.x, vectors.initial.y),
  });
  const place = ({ x, y }: BilevelPoint<E>) => ({ x: vectors.x.unravel(x), y: vectors.y.unravel(y) });
  const run = await runLoop<BilevelPoint<E>, BilevelRecord, never>(
    {
      owner,
      limit: maxIterations,
      initial: beginning,
      step(point) {
        if (point.iteration === 0 && refinement !== undefined && point.refined < refinement.steps) {
          const draw = vectors.draw(random.rng(`${seed}/refinement/${point.refined}`));
          const { y, extra, cost } = refinement.step(point, draw);
          requireFinite("y", y);
          return { ...point, y, extra, refined: point.refined + 1, counts: addCounts(point.counts, cost) };
        }
        const iteration = point.iteration + 1;
        const draw = vectors.draw(random.rng(`${seed}/iteration/${iteration}`));
        const { x, y, extra, hypergradientNorm, cost } = method.iterate(point, iteration, draw);
        const norm = hypergradientNorm.item();
        if (!Number.isFinite(norm)) {
          throw new NonFiniteError(
            `the hypergradient's norm is ${norm}: the iteration diverged and was not made; take smaller steps`,
          );
        }
        requireFinite("y", y);
        requireFinite("x", x);
        const counts = addCounts(point.counts, cost);
        return { of: owner, iteration, refined: point.refined, x, y, extra, hypergradientNorm: norm, counts };
      },
      count: ({ iteration }) => iteration,
      async record(point, iteration) {
        if (point.hypergradientNorm === null) return undefined;
        const { hypergradientNorm, counts } = point;
        const told = { iteration, hypergradientNorm, counts };
        if (evaluate === undefined) return told;
        return { ...told, evaluation: await figuresOf(owner, "evaluate", evaluate(place(point), iteration)) };
      },
      check(point) {
        requireStateLike(owner, point, beginning());
        if (point.of === owner) return;
        throw new ValueError(
          `${owner}: resume is a state of ${point.of}; go on by that, or begin a run whose problem has the x and y of that result as initial`,
        );
      },
    },
    options,
  );
  const { status, iterations, history, last, state } = run;
  return { ...place(last), iterations, status, counts: last.counts, history, state };
}

function requireFinite(name: string, vector: Tensor): void {
  const values = vector.data();
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new NonFiniteError(`${name} became ${values[i]}: the iteration diverged; take smaller steps`);
    }
  }
}

/** Checks the options of a bilevel method by name. */
export function checkBilevelOptions(owner: string, options: object, names: readonly string[]): void {
  if (options === undefined) throw new ValueError(`${owner}: options are missing; give { maxIterations, ... }`);
  checkOptions(owner, options, [...names, ...bilevelRunOptionNames]);
}

/**
 * A rate as a float64 scalar for each iteration, the same tensor where it does not change. @throws ValueError for one that
 * is not finite and positive.
 */
export function rateTensors(owner: string, name: string, rate: Rate): (iteration: number) => Tensor {
  const scalar = (value: number): Tensor => {
    requirePositive(owner, name, value);
    return tensor(value, { dtype: "float64" });
  };
  if (typeof rate !== "function") {
    const fixed = scalar(rate);
    return () => fixed;
  }
  return (iteration) => scalar(rate(iteration));
}
