import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  linalg,
  NonFiniteError,
  requireChoice,
  requireDecayRate,
  requireInteger,
  requireObject,
  requirePositive,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { requirePart } from "./odice.js";

/** A logged transition of a table. */
export interface TabularTransition {
  /** Number of the state. */
  readonly state: number;
  /** Number of the state after it. */
  readonly next: number;
  /** The reward. */
  readonly reward: number;
  /** Whether the episode ended for good. Default false. */
  readonly terminal?: boolean;
  /** How often it was logged, > 0. Default 1. */
  readonly count?: number;
  /** Number of the action; needed where chance is averaged over. */
  readonly action?: number;
}

/** A decision process of a table, as it was logged. */
export interface TabularProblem {
  /** Number of states. */
  readonly states: number;
  /** What was logged. */
  readonly transitions: readonly TabularTransition[];
}

/** What is told of an iteration. */
export interface TabularRecord {
  /** Its number, from 1. */
  readonly iteration: number;
  /** The objective. */
  readonly objective: number;
  /** The largest violation of a flow constraint. */
  readonly flowResidual: number;
}

/** Options of {@link solveTabularDice}. */
export interface TabularDiceOptions extends RunOptions<TabularRecord, RunState<TabularPoint, TabularRecord>> {
  /** Weight of the conjugate, in (0, 1). Default 0.5. */
  readonly lambda?: number;
  /** gamma in [0, 1). Default 0.95. */
  readonly discount?: number;
  /** Whether rewards and next values of the same state and action are averaged before the conjugate is taken, as is right where chance plays a part. Default false: the paper's. */
  readonly average?: boolean;
  /** Largest violation of a flow constraint at which it ends. Default 1e-12, or the last place of the largest value, 1e-6 at most. */
  readonly tolerance?: number;
  /** Iterations at most. Default 200. */
  readonly maxIterations?: number;
}

/** Where the solver stands. */
export interface TabularPoint {
  /** Values. */
  readonly values: Float64Array;
  /** The objective. */
  readonly objective: number;
  /** The largest violation. */
  readonly flowResidual: number;
}

/** What {@link solveTabularDice} gives. */
export interface TabularDiceResult {
  /** Values of the states. */
  readonly x: Float64Array;
  /** `w*` of every transition: the ratio of the optimal distribution to the logged one. */
  readonly ratios: Float64Array;
  /** `(1 - lambda) E V(s) + lambda E f*(y)`. */
  readonly objective: number;
  /** The primal's value less the dual's: 0 at the optimum. */
  readonly gap: number;
  /** The largest violation of a flow constraint. */
  readonly flowResidual: number;
  /** Iterations made. */
  readonly iterations: number;
  /** How it ended. */
  readonly status: Status;
  /** The record of every iteration. */
  readonly history: readonly TabularRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<TabularPoint, TabularRecord>;
}

interface Group {
  readonly state: number;
  readonly share: number;
  readonly reward: number;
  /** Discounted chances of next states. */
  readonly next: readonly (readonly [state: number, factor: number])[];
  readonly members: readonly number[];
}

const transitionNames = ["state", "next", "reward", "terminal", "count", "action"];

/** Newton's matrix has as many rows and columns. */
const MOST_STATES = 10_000;

const names = ["lambda", "discount", "average", "tolerance", "maxIterations", ...runOptionNames];

/**
 * The exact optimum of the value's objective with Pearson's divergence over tables, by damped Newton steps: what the true gradient would reach.
 * @throws ValueError for a problem without an optimum: where a state can only be left into states that nothing was logged from.
 */
export async function solveTabularDice(
  problem: TabularProblem,
  options: TabularDiceOptions = {},
): Promise<TabularDiceResult> {
  requireObject("solveTabularDice", "problem", problem, "{ states, transitions }");
  const owner = "solveTabularDice";
  checkOptions(owner, options, names);
  const { lambda = 0.5, discount = 0.95, average = false, tolerance, maxIterations = 200 } = options;
  requirePart(owner, "lambda", lambda);
  requireDecayRate(owner, "discount", discount);
  requireChoice(owner, "average", average, [true, false]);
  if (tolerance !== undefined) requirePositive(owner, "tolerance", tolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  const groups = groupsOf(owner, problem, discount, average);
  const { states } = problem;
  requireBounded(owner, problem, groups);
  const residual = (v: Float64Array, { state, reward, next }: Group): number =>
    next.reduce((total, [s, factor]) => total + factor * v[s], reward - v[state]);
  const measured = (v: Float64Array): TabularPoint & { gradient: Float64Array } => {
    const gradient = new Float64Array(states);
    let objective = 0;
    for (const group of groups) {
      const y = residual(v, group);
      const w = Math.max(y / 2 + 1, 0);
      objective += group.share * ((1 - lambda) * v[group.state] + lambda * (y * w - (w - 1) ** 2));
      gradient[group.state] += group.share * (1 - lambda - lambda * w);
      for (const [s, factor] of group.next) gradient[s] += group.share * lambda * w * factor;
    }
    return { values: v, objective, flowResidual: largestOf(gradient), gradient };
  };
  const direction = (v: Float64Array, gradient: Float64Array): Float64Array => {
    const hessian = new Float64Array(states * states);
    for (const group of groups) {
      if (residual(v, group) <= -2) continue;
      const slopes = new Map<number, number>([[group.state, -1]]);
      for (const [s, factor] of group.next) slopes.set(s, (slopes.get(s) ?? 0) + factor);
      for (const [i, a] of slopes) {
        for (const [j, b] of slopes) hessian[i * states + j] += (group.share * lambda * a * b) / 2;
      }
    }
    for (let i = 0; i < states; i++) hessian[i * states + i] += 1e-12;
    const solved: Tensor = linalg.solve(tensor(hessian, { shape: [states, states] }), tensor(gradient));
    return Float64Array.from(solved.data(), (d) => -d);
  };
  const run = await runLoop<TabularPoint, TabularRecord>(
    {
      owner,
      limit: maxIterations,
      initial: () => {
        const { gradient: _, ...point } = measured(new Float64Array(states));
        return point;
      },
      step({ values, objective }) {
        const { gradient } = measured(values);
        let step = direction(values, gradient);
        let slope = step.reduce((total, d, i) => total + d * gradient[i], 0);
        if (!(slope < 0)) {
          // Where no transition has a positive ratio the Hessian says nothing.
          step = gradient.map((g) => -g);
          slope = -gradient.reduce((total, g) => total + g * g, 0);
        }
        for (let size = 1; size > 1e-14; size /= 2) {
          const { gradient: _, ...next } = measured(values.map((v, i) => v + size * step[i]));
          if (next.objective <= objective + 1e-4 * size * slope + 1e-15 * Math.abs(objective)) return next;
        }
        const { gradient: _, ...same } = measured(values);
        return same;
      },
      record: ({ objective, flowResidual }, iteration) => ({ iteration, objective, flowResidual }),
      finished({ flowResidual, values }) {
        // Residuals are differences of values, and ratios no finer than these; beyond 1e-6 they are none.
        const reachable = Math.min(Math.max(1e-12, Number.EPSILON * largestOf(values)), 1e-6);
        return flowResidual <= (tolerance ?? reachable) ? "converged" : undefined;
      },
      check({ values }) {
        if (values instanceof Float64Array && values.length === states) return;
        throw new ValueError(`${owner}: resume is a state of another problem`);
      },
    },
    options,
  );
  const { values, objective, flowResidual } = run.last;
  if (!values.every(Number.isFinite)) throw new NonFiniteError(`${owner}: values are not finite`);
  const ratios = new Float64Array(problem.transitions.length);
  let primal = 0;
  for (const group of groups) {
    const w = Math.max(residual(values, group) / 2 + 1, 0);
    primal += group.share * lambda * (w * group.reward - (w - 1) ** 2);
    for (const i of group.members) ratios[i] = w;
  }
  const { iterations, status, history, state } = run;
  return { x: values, ratios, objective, gap: objective - primal, flowResidual, iterations, status, history, state };
}

function largestOf(values: Float64Array): number {
  return values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
}

function groupsOf(owner: string, { states, transitions }: TabularProblem, discount: number, average: boolean): Group[] {
  requireInteger(owner, "states", states, 1, MOST_STATES);
  if (!Array.isArray(transitions as unknown) || transitions.length === 0) {
    throw new ValueError(`${owner}: there are no transitions; give a list of one at least`);
  }
  for (const [i, transition] of transitions.entries()) {
    checkOptions(`${owner}: transitions[${i}]`, transition, transitionNames, ["state", "next", "reward"]);
    const { terminal = false, count = 1 } = transition;
    requireChoice(owner, `transitions[${i}].terminal`, terminal, [true, false]);
    requirePositive(owner, `transitions[${i}].count`, count);
  }
  const total = transitions.reduce((sum, { count = 1 }) => sum + count, 0);
  if (total === Infinity) throw new ValueError(`${owner}: the counts of the transitions are too large to add up`);
  const groups = new Map<
    string,
    { members: number[]; share: number; reward: number; next: Map<number, number>; state: number }
  >();
  transitions.forEach(({ state, next, reward, terminal = false, count = 1, action }, i) => {
    for (const [name, value] of Object.entries({ state, next }))
      requireInteger(owner, `transitions[${i}].${name}`, value, 0, states - 1);
    if (!Number.isFinite(reward))
      throw new ValueError(`${owner}: transitions[${i}].reward is ${reward}; it must be finite`);
    if (average && action === undefined) {
      throw new ValueError(`${owner}: average needs the action of every transition; transitions[${i}] has none`);
    }
    const key = average ? `${state}/${action}` : String(i);
    const group = groups.get(key) ?? { members: [], share: 0, reward: 0, next: new Map<number, number>(), state };
    const share = count / total;
    group.members.push(i);
    group.share += share;
    group.reward += share * reward;
    if (!terminal) group.next.set(next, (group.next.get(next) ?? 0) + share * discount);
    groups.set(key, group);
  });
  return Array.from(groups.values(), ({ members, share, reward, next, state }) => ({
    state,
    share,
    reward: reward / share,
    next: Array.from(next, ([s, factor]) => [s, factor / share] as const),
    members,
  }));
}

/** The flow constraints have a solution with `w >= 0` where mass can always go on: into terminals, or for ever among states that are left again. */
function requireBounded(owner: string, { states }: TabularProblem, groups: readonly Group[]): void {
  // A state is dead where all of its transitions may end in a dead state; one that nothing was logged from has none.
  const alive = new Array<boolean>(states).fill(false);
  const left = new Array<boolean>(states).fill(false);
  for (const { state } of groups) left[state] = true;
  for (let s = 0; s < states; s++) alive[s] = left[s];
  for (let changed = true; changed; ) {
    changed = false;
    for (let s = 0; s < states; s++) {
      if (!alive[s]) continue;
      if (groups.some(({ state, next }) => state === s && next.every(([to]) => alive[to]))) continue;
      alive[s] = false;
      changed = true;
    }
  }
  const dead = left.findIndex((logged, s) => logged && !alive[s]);
  if (dead < 0) return;
  throw new ValueError(
    `${owner}: state ${dead} can only be left into states that nothing was logged from, so that there is no optimum: log what happens there, or mark the transitions as terminal`,
  );
}
