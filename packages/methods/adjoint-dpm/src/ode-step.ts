import { type Tableau, tableaus } from "@offprint/ode";
import { gaussLegendre } from "@offprint/solvers";
import {
  NonFiniteError,
  requireChoice,
  requireInteger,
  requireObject,
  requirePositive,
  type Tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import type { Rate } from "./field.js";
import { treeCombination } from "./tree-combination.js";

/** Solvers of both equations. */
export type SolverName = "euler" | "midpoint" | "heun" | "rk4" | "adamsBashforth" | "dopri5";

/** How an equation is solved. */
export interface SolverOptions {
  /** Default `"rk4"`. `"adamsBashforth"` is the paper's; it needs 40 steps and more. `"dopri5"` divides intervals as its tolerances ask. */
  readonly solver?: SolverName;
  /** Of `"adamsBashforth"`, 1 to 4. Default 4. */
  readonly order?: number;
  /** Of `"dopri5"`. Default 1e-6. */
  readonly relativeTolerance?: number;
  /** Of `"dopri5"`. Default 1e-8. */
  readonly absoluteTolerance?: number;
}

/** @internal The names of {@link SolverOptions}. */
export const solverNames = ["solver", "order", "relativeTolerance", "absoluteTolerance"] as const;

/** A rate that was computed, for multistep methods. */
export interface Past<S> {
  /** Where. */
  readonly time: number;
  /** What it was. */
  readonly rate: S;
}

/** A step from one place of a grid to the next. */
export type IntervalStep = <S>(
  rate: Rate<S>,
  state: S,
  from: number,
  to: number,
  past: readonly Past<S>[],
) => Promise<{ state: S; past: readonly Past<S>[] }>;

const runge: Partial<Record<SolverName, Tableau>> = {
  euler: tableaus.euler,
  midpoint: tableaus.midpoint,
  heun: tableaus.heunEuler,
  rk4: tableaus.rk4,
};

/** @throws ValueError for an option of another solver, which would do nothing. */
export function requireOfSolver(owner: string, options: SolverOptions): void {
  const { solver = "rk4", order, relativeTolerance, absoluteTolerance } = options;
  if (order !== undefined && solver !== "adamsBashforth") {
    throw new ValueError(`${owner}: order is of the solver "adamsBashforth", which is "${solver}"; leave it out`);
  }
  if ((relativeTolerance ?? absoluteTolerance) !== undefined && solver !== "dopri5") {
    throw new ValueError(`${owner}: tolerances are of the solver "dopri5", which is "${solver}"; leave them out`);
  }
}

/** The step of a solver, checked. @throws ValueError for a solver that is not known. */
export function intervalStep(owner: string, options: SolverOptions): IntervalStep {
  const { solver = "rk4", order = 4, relativeTolerance = 1e-6, absoluteTolerance = 1e-8 } = options;
  requireChoice(owner, "solver", solver, ["euler", "midpoint", "heun", "rk4", "adamsBashforth", "dopri5"]);
  requireInteger(owner, "order", order, 1, 4);
  requirePositive(owner, "relativeTolerance", relativeTolerance);
  requirePositive(owner, "absoluteTolerance", absoluteTolerance);
  const tableau = runge[solver];
  if (tableau !== undefined) {
    return async (rate, state, from, to) => ({
      state: (await rungeKutta(tableau, rate, state, from, to)).state,
      past: [],
    });
  }
  if (solver === "adamsBashforth")
    return (rate, state, from, to, past) => adamsBashforth(order, rate, state, from, to, past);
  return async (rate, state, from, to) => ({
    state: await adaptive(rate, state, from, to, relativeTolerance, absoluteTolerance),
    past: [],
  });
}

interface RungeKuttaStep<S> {
  readonly state: S;
  readonly rates: readonly S[];
}

async function rungeKutta<S>(
  tableau: Tableau,
  rate: Rate<S>,
  state: S,
  from: number,
  to: number,
  first?: S,
): Promise<RungeKuttaStep<S>> {
  const h = to - from;
  const rates: S[] = [first ?? (await rate(from, state))];
  const along = (weights: readonly number[]) => {
    const used = weights.map((w, j) => [w * h, rates[j]] as const).filter(([w]) => w !== 0);
    return treeCombination([1, ...used.map(([w]) => w)], [state, ...used.map(([, k]) => k)]);
  };
  for (const [i, row] of tableau.stages.entries()) {
    // Ends as they are: `from + 1 h` may miss them by rounding, and grids end where schedules do.
    const node = tableau.nodes[i + 1];
    rates.push(await rate(node === 1 ? to : from + node * h, along(row)));
  }
  return { state: along(tableau.weights), rates };
}

/** The weights of an explicit Adams step over the interval: integrals of the polynomials through the times of past rates. @throws ValueError for times that are not different finite numbers. */
export function adamsWeights(times: readonly number[], from: number, to: number): number[] {
  requireObject("adamsWeights", "times", times, "an array of numbers");
  if (times.length === 0 || ![...times, from, to].every(Number.isFinite) || new Set(times).size < times.length) {
    throw new ValueError(`adamsWeights: times are [${times}], from ${from} to ${to}; give different finite numbers`);
  }
  const rule = gaussLegendre(times.length, from, to);
  return times.map((own, j) =>
    rule.nodes.reduce(
      (total, t, q) =>
        total +
        rule.weights[q] *
          times.reduce((product, other, m) => (m === j ? product : (product * (t - other)) / (own - other)), 1),
      0,
    ),
  );
}

async function adamsBashforth<S>(
  order: number,
  rate: Rate<S>,
  state: S,
  from: number,
  to: number,
  past: readonly Past<S>[],
): Promise<{ state: S; past: readonly Past<S>[] }> {
  const here = { time: from, rate: await rate(from, state) };
  const kept = [here, ...past].slice(0, order);
  if (kept.length < order) {
    return { state: (await rungeKutta(tableaus.rk4, rate, state, from, to, here.rate)).state, past: kept };
  }
  const weights = adamsWeights(
    kept.map(({ time }) => time),
    from,
    to,
  );
  return { state: treeCombination([1, ...weights], [state, ...kept.map((each) => each.rate)]), past: kept };
}

/** Errors are judged on what feeds back: the variable and its adjoint, not what gathers beside them. */
function judged(state: unknown): Tensor[] {
  const { y, a } = state as { y: Tensor; a?: Tensor };
  return a === undefined ? [y] : [y, a];
}

async function adaptive<S>(
  rate: Rate<S>,
  start: S,
  from: number,
  to: number,
  relative: number,
  absolute: number,
): Promise<S> {
  const { dopri5 } = tableaus;
  const weights = dopri5.error as readonly number[];
  let [state, time, h] = [start, from, to - from];
  let first = await rate(from, state);
  for (let trial = 0; time !== to; trial++) {
    if (trial > 10_000) throw new NonFiniteError(`dopri5 does not get from ${from} to ${to}; loosen its tolerances`);
    const end = Math.abs(h) >= Math.abs(to - time) * (1 - 1e-12) ? to : time + h;
    const step = await rungeKutta(dopri5, rate, state, time, end, first);
    const last = await rate(end, step.state);
    const size = end - time;
    const error = treeCombination(
      weights.map((w) => w * size),
      [...step.rates, last],
    );
    const norm = errorNorm(judged(error), judged(state), judged(step.state), relative, absolute);
    if (norm <= 1) [state, time, first] = [step.state, end, last];
    if (!Number.isFinite(norm)) h = size / 5;
    else h = size * Math.min(5, Math.max(0.2, 0.9 * Math.max(norm, 1e-10) ** -0.2));
    if (Math.abs(h) < 1e-14 * Math.abs(to - from))
      throw new NonFiniteError(`the steps of dopri5 shrink to nothing at ${time}`);
  }
  return state;
}

function errorNorm(
  errors: readonly Tensor[],
  before: readonly Tensor[],
  after: readonly Tensor[],
  relative: number,
  absolute: number,
): number {
  let [total, count] = [0, 0];
  errors.forEach((error, k) => {
    const [e, p, q] = [error.data(), before[k].data(), after[k].data()];
    for (let i = 0; i < e.length; i++) {
      total += (e[i] / (absolute + relative * Math.max(Math.abs(p[i]), Math.abs(q[i])))) ** 2;
    }
    count += e.length;
  });
  return Math.sqrt(total / count);
}

/** Bytes of the tensors of a tree. */
export function treeBytes(value: unknown): number {
  return tree.leaves<unknown>(value).reduce<number>((total, leaf) => {
    const { data } = leaf as Partial<Tensor>;
    return total + (typeof data === "function" ? (leaf as Tensor).data().byteLength : 8);
  }, 0);
}
