import { onHost } from "@offprint/optim";
import { ShapeError, tensor, ValueError } from "@offprint/tensor-core";
import { type ForwardCount, type InnerProblem, type InnerProblems, innerProblems } from "./inner-problem.js";
import { type InnerSolver, innerSolver } from "./inner-solvers.js";
import { scheduleFactor } from "./rate-schedule.js";
import { checkMetric, initialEta, type SsoOptions } from "./sso-options.js";
import { TargetBatches, type TargetData } from "./target-data.js";
import { chooseMetric, freshMetric, type Metric, type MetricState } from "./target-metric.js";
import type { TargetModel } from "./target-model.js";
import { ask, type OracleCalls, type TargetOracle } from "./target-oracle.js";
import { TargetSurrogate } from "./target-surrogate.js";

/** What happened in an outer step. */
export interface SsoRecord {
  /** t, from 0. */
  readonly step: number;
  /** Mean loss of the batch before the step. */
  readonly loss: number;
  /** eta_t, or the mean of 1/|D|. */
  readonly eta: number;
  /** Steps of the inner solver. */
  readonly innerSteps: number;
  /** Expensive calls so far. */
  readonly gradCalls: number;
  /** Calls for losses only so far. */
  readonly lossCalls: number;
  /** Evaluations of the model so far. */
  readonly forwardCalls: number;
}

/** Everything a run needs to go on from. */
export interface SsoState {
  /** Parameters. */
  readonly params: any;
  /** Outer steps made. */
  readonly step: number;
  /** What the metric remembers. */
  readonly metric: MetricState;
  /** Last inner step length. */
  readonly lastStep?: number;
  /** Calls so far. */
  readonly calls: OracleCalls;
  /** Evaluations of the model so far. */
  readonly forwardCalls: number;
}

/** What `sso`, `majorizeMinimize` and the baselines give. */
export interface SsoResult<P = any> {
  /** Parameters after the last step, in memory. */
  readonly params: P;
  /** A record for each outer step of this run. */
  readonly history: readonly SsoRecord[];
  /** All steps made; gradient small enough; stopped by `onProgress`; or the signal fired. */
  readonly status: "aborted" | "completed" | "converged" | "stopped";
  /** To go on from. */
  readonly state: SsoState;
}

/**
 * Stochastic surrogate optimisation: one expensive gradient with respect to the model's *outputs*, then many cheap
 * parameter steps on the surrogate that it defines. With one inner step of a fixed length it is SGD.
 *
 * @throws ValueError for options out of range, or an oracle that says what is not finite; ShapeError for shapes.
 * @see https://arxiv.org/abs/2302.02607
 */
export async function sso<P>(
  model: TargetModel<P>,
  data: TargetData,
  oracle: TargetOracle,
  options: SsoOptions,
): Promise<SsoResult<P>> {
  const run = new SsoRun(model, data, oracle, options);
  try {
    return await run.all();
  } finally {
    await run.release();
  }
}

/**
 * The deterministic form: every surrogate is made of all examples. With eta <= 1/L it is a bound of the loss, and the loss
 * never rises, whatever solves the surrogate.
 */
export function majorizeMinimize<P>(
  model: TargetModel<P>,
  data: TargetData,
  oracle: TargetOracle,
  options: Omit<SsoOptions, "batch" | "prox">,
): Promise<SsoResult<P>> {
  return sso(model, data, oracle, { ...options, batch: "full" });
}

/** What runs on one model share, so that its graphs are compiled once. */
export interface SharedProblems {
  /** Counts the evaluations of the model, over all runs. */
  readonly count: ForwardCount;
  /** Their inner problems. */
  readonly problems: InnerProblems;
  /** What solves them. */
  readonly solve: InnerSolver;
}

/** Inner problems for the options of a run. */
export function problemsFor(
  model: TargetModel,
  { metric, backend, inner = {} }: Pick<SsoOptions, "backend" | "inner" | "metric">,
): SharedProblems {
  const count = { forward: 0 };
  const solve = innerSolver(inner, model.linear === true && metric !== "kl");
  return { count, solve, problems: innerProblems(model, metric === "kl" ? "kl" : "quadratic", count, backend) };
}

/** One run. */
export class SsoRun {
  private readonly oracle: TargetOracle;
  private readonly options: SsoOptions;
  private readonly batches: TargetBatches;
  private readonly problems: InnerProblems;
  private readonly owned: boolean;
  private readonly solve: InnerSolver;
  private readonly eta0: number;
  private readonly metric: Metric;
  private readonly count: ForwardCount;
  private readonly calls: OracleCalls;
  private params: any;
  private t: number;
  private metricState: MetricState;
  private lastStep: number | undefined;

  /** @param shared problems that the caller releases; without them the run has its own. */
  constructor(
    model: TargetModel,
    data: TargetData,
    oracle: TargetOracle,
    options: SsoOptions,
    shared?: SharedProblems,
  ) {
    const { steps, metric = "euclidean", resume, batch = "full", seed = 0, dropLast = true } = options;
    if (!Number.isSafeInteger(steps) || steps < 1)
      throw new ValueError(`sso: steps is ${steps}; it must be an integer >= 1`);
    this.eta0 = initialEta(options);
    scheduleFactor(options.schedule ?? "constant", 0, 1);
    checkMetric(metric, options);
    this.oracle = oracle;
    this.options = options;
    this.metric = metric;
    this.batches = new TargetBatches("sso", data, batch, seed, dropLast);
    const { tol } = options;
    if (tol !== undefined && !(tol >= 0 && batch === "full"))
      throw new ValueError(`sso: tol is ${tol}; it must be >= 0, and needs the batch "full"`);
    const { problems, count, solve } = shared ?? problemsFor(model, options);
    this.owned = shared === undefined;
    this.problems = problems;
    this.solve = solve;
    this.count = count;
    this.count.forward = resume?.forwardCalls ?? 0;
    this.calls = { ...(resume?.calls ?? { grad: 0, loss: 0 }) };
    this.params = resume?.params ?? model.params;
    this.t = resume?.step ?? 0;
    this.metricState = resume?.metric ?? freshMetric;
    this.lastStep = resume?.lastStep;
  }

  /** All steps. */
  async all(): Promise<SsoResult> {
    const { steps, signal, onProgress } = this.options;
    const history: SsoRecord[] = [];
    const ended = async (status: SsoResult["status"]): Promise<SsoResult> => {
      const state = await this.state();
      return { params: state.params, history, status, state };
    };
    while (this.t < steps) {
      if (signal?.aborted) return ended("aborted");
      const record = await this.step();
      if (record === "converged") return ended("converged");
      history.push(record);
      if (onProgress && (await onProgress(record, await onHost(this.params))) === "stop") return ended("stopped");
    }
    return ended("completed");
  }

  /** Where the run stands. */
  async state(): Promise<SsoState> {
    return {
      params: await onHost(this.params),
      step: this.t,
      metric: this.metricState,
      ...(this.lastStep !== undefined && { lastStep: this.lastStep }),
      calls: { ...this.calls },
      forwardCalls: this.count.forward,
    };
  }

  /** Frees what was compiled for this run alone. */
  async release(): Promise<void> {
    if (this.owned) await this.problems.release();
  }

  private async step(): Promise<SsoRecord | "converged"> {
    const { schedule = "constant", steps, tol, prox = "batch", batch = "full" } = this.options;
    const { x, ids, rows } = this.batches.at(this.t);
    const z = await this.problems.forward(this.params, x);
    if (z.rank !== 2 || z.shape[0] !== ids.length) {
      throw new ShapeError(`sso: the model's outputs have shape [${z.shape}]; they must be [${ids.length}, C]`);
    }
    const answer = await ask(this.oracle, z, ids, this.calls, { grad: true, curvature: this.metric === "newton" });
    const loss = answer.loss.reduce((a, b) => a + b, 0) / ids.length;
    const eta = this.eta0 * scheduleFactor(schedule, this.t, steps);
    const { c = 0.5, newtonGuard = 1e-5 } = this.options;
    const chosen = await chooseMetric(this.metric, this.metricState, {
      eta,
      eta0: this.eta0,
      z,
      ids,
      rows,
      answer,
      oracle: this.oracle,
      calls: this.calls,
      examples: this.batches.size,
      c,
      newtonGuard,
    });
    const gradient = tensor(answer.grad, { shape: z.shape });
    const proximity = this.metric === "kl" ? "kl" : "quadratic";
    const problem =
      prox === "full" && batch !== "full"
        ? await this.overAll(rows, answer.grad, chosen.D.item(), loss)
        : this.problems.problem(x, new TargetSurrogate(z, gradient, chosen.D, loss, proximity));
    const start = await problem.at(this.params);
    if (tol !== undefined && Math.sqrt(start.squaredNorm) <= tol) return "converged";
    const solved = await this.solve(problem, start, this.lastStep);
    this.params = solved.params;
    this.lastStep = solved.lastStep ?? this.lastStep;
    this.metricState = chosen.state;
    this.t++;
    return {
      step: this.t - 1,
      loss,
      eta: chosen.eta,
      innerSteps: solved.steps,
      gradCalls: this.calls.grad,
      lossCalls: this.calls.loss,
      forwardCalls: this.count.forward,
    };
  }

  /** The surrogate with the proximal term over all examples: gradients n/|S| times those of the batch, else 0. */
  private async overAll(rows: Int32Array, grad: Float64Array, D: number, loss: number): Promise<InnerProblem> {
    const { x } = this.batches.all();
    const z = await this.problems.forward(this.params, x);
    const C = z.shape[1];
    const n = this.batches.size;
    const spread = new Float64Array(n * C);
    rows.forEach((row, i) => {
      for (let c = 0; c < C; c++) spread[row * C + c] += (n / rows.length) * grad[i * C + c];
    });
    return this.problems.problem(x, new TargetSurrogate(z, tensor(spread, { shape: z.shape }), D, loss));
  }
}
