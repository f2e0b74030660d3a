import { runLoop } from "@offprint/solvers";
import { concatenate, linalg, NonFiniteError, type Tensor } from "@offprint/tensor-core";
import {
  type BaselineOptions,
  type BaselineRecord,
  type BaselineResult,
  type BaselineState,
  readBaseline,
} from "./baseline.js";
import { readMultipliers } from "./multipliers.js";
import { type LagrangianPoint, type Oracle, readProblem, requireStateOf } from "./oracle.js";
import type { EqualityCallbacks, EqualityProblem } from "./problem.js";

/** @internal A point of a baseline with what the problem says there. */
export interface Asked {
  readonly x: Tensor;
  readonly multipliers: Tensor;
  readonly point: LagrangianPoint;
  /** `[d]` (g_L, c). */
  readonly res: Tensor;
}

/** @internal The problem at a point; not finite where the problem is not. */
export async function ask(oracle: Oracle, x: Tensor, multipliers: Tensor): Promise<Asked> {
  const point = await oracle.at(x, multipliers);
  const res = oracle.m === 0 ? point.gradient : concatenate([point.gradient, point.constraints], 0);
  return { x, multipliers, point, res };
}

/** @internal What a record and a state tell of a point. @throws NonFiniteError where it is not finite. */
export function figuresOf({ point, res }: Asked) {
  const objective = point.objective.item();
  const kkt = linalg.norm(res).item();
  if (!Number.isFinite(objective + kkt)) {
    throw new NonFiniteError("the objective, constraints or a derivative is not finite; begin elsewhere");
  }
  return { objective, kkt, infeasibility: point.constraints.size === 0 ? 0 : linalg.norm(point.constraints).item() };
}

/** @internal Runs a baseline: `begin` gives penalty and accuracy at the start, `step` makes one Newton step. */
export async function runBaseline<X>(
  owner: string,
  problem: EqualityProblem<X> | EqualityCallbacks,
  initial: X,
  options: BaselineOptions,
  method: {
    readonly begin: (asked: Asked) => Pick<BaselineState, "mu" | "accuracy">;
    readonly step: (oracle: Oracle, state: BaselineState, asked: Asked, tolerance: number) => Promise<BaselineState>;
  },
): Promise<BaselineResult<X>> {
  const { tolerance, maxIterations } = readBaseline(owner, options);
  const m = options.resume?.inner?.multipliers?.size;
  const { oracle, start, restore } = await readProblem(owner, problem, initial, "matrices", m);
  const first = readMultipliers(owner, options.multipliers, oracle.m);
  const run = await runLoop<BaselineState, BaselineRecord, "converged" | "singularJacobian" | "inaccurate">(
    {
      owner,
      limit: maxIterations,
      async initial() {
        const asked = await ask(oracle, start, first);
        return {
          ...{ x: start, multipliers: first, ...figuresOf(asked), ...method.begin(asked) },
          ...{ iteration: 0, outer: 0, obstacle: null, record: null },
          evaluations: { objective: 1, constraints: 1, gradient: 1, hessian: 0 },
        };
      },
      step: async (state) => method.step(oracle, state, await ask(oracle, state.x, state.multipliers), tolerance),
      record: ({ record, obstacle }) => (obstacle === null ? (record ?? undefined) : undefined),
      count: ({ iteration }) => iteration,
      finished: ({ kkt, obstacle }) => (kkt <= tolerance ? "converged" : (obstacle ?? undefined)),
      check: (saved) => requireStateOf(owner, oracle, saved),
    },
    options,
  );
  const { last, status, iterations, history, state } = run;
  const { objective, kkt, infeasibility, evaluations, multipliers, outer } = last;
  return {
    ...{ x: restore(last.x), multipliers, objective, kkt, infeasibility, status, iterations, outerIterations: outer },
    ...{ history, evaluations, state },
  };
}
