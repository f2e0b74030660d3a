import { makeBreather } from "@offprint/solvers";
import { NonFiniteError, ShapeError, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { type InnerProblem, InnerProblems, type Turn } from "./inner-problem.js";
import { type InnerSolver, innerSolver } from "./inner-solvers.js";
import { scheduleFactor } from "./rate-schedule.js";
import type { SurrogateOptions } from "./sso-options.js";
import type { ExampleBatch } from "./target-data.js";
import { chooseMetric, freshMetric, type MetricState } from "./target-metric.js";
import type { TargetModel } from "./target-model.js";
import { ask, type CheckedAnswer, type OracleCalls, type TargetOracle } from "./target-oracle.js";
import { TargetSurrogate } from "./target-surrogate.js";

/** What a step cost, of the methods that ask an oracle. */
export interface OracleRecord {
  /** Steps made. */
  readonly step: number;
  /** Mean loss of the batch before the step. */
  readonly loss: number;
  /** Expensive calls so far. */
  readonly gradCalls: number;
  /** Calls for losses only so far. */
  readonly lossCalls: number;
  /** Evaluations of the model so far. */
  readonly forwardCalls: number;
}

/** What happened in an outer step. */
export interface SsoRecord extends OracleRecord {
  /** eta_t, or the mean of 1/|D|. */
  readonly eta: number;
  /** Steps of the inner solver. */
  readonly innerSteps: number;
}

/** What an expensive call has said: everything that defines the surrogate of a step. */
export interface Consultation {
  /** Outputs z_t of the rows of the surrogate. */
  readonly z: Tensor;
  /** g there. */
  readonly grad: Tensor;
  /** D. */
  readonly D: Tensor;
  /** eta_t, for the record. */
  readonly eta: number;
  /** Mean loss at z_t. */
  readonly loss: number;
  /** What the metric remembers from now on. */
  readonly metric: MetricState;
}

/** Where surrogate optimisation stands, as a tree. */
export interface SsoPlace<P = unknown> {
  /** Parameters. */
  readonly params: P;
  /** Outer steps made. */
  readonly step: number;
  /** What the metric remembers. */
  readonly metric: MetricState;
  /** Length of the last inner step, for inner solvers that search it; null for none. */
  readonly lastStep: number | null;
  /** Calls so far. */
  readonly calls: OracleCalls;
  /** Evaluations of the model so far. */
  readonly forwardCalls: number;
  /** Norm of the gradient at the parameters; infinite where it is not known. */
  readonly gradientNorm: number;
  /** What was asked for the step under way when the signal fired, so that it need not be paid for again. */
  readonly asked: Consultation | null;
  /** The record of the last step; null where it was not finished. */
  readonly record: SsoRecord | null;
}

/** The signal fired in the middle of an inner solver, whose steps are given up. */
class Interrupted extends Error {}

/** What a step is made with, beside the place where it begins. */
export interface StepInput {
  /** Its examples. */
  readonly batch: ExampleBatch;
  /** All examples, where the proximal term has all of them. */
  readonly all?: ExampleBatch;
  /** Number of examples that the metric knows. */
  readonly examples: number;
  /** T of the schedules. */
  readonly steps: number;
  /** Converged where the norm of the gradient is at most this. */
  readonly tolerance?: number | undefined;
  /** Ends the inner solver. */
  readonly signal?: AbortSignal | undefined;
}

/** The outer step of surrogate optimisation: one expensive call, then many cheap steps. */
export class SsoStep<P> {
  private readonly owner: string;
  private readonly model: TargetModel<P>;
  private readonly options: SurrogateOptions;
  private readonly eta0: number;
  private readonly problems: InnerProblems<P>;
  private readonly solve: InnerSolver<P>;

  constructor(owner: string, model: TargetModel<P>, options: SurrogateOptions, eta0: number) {
    const { metric, inner = {}, backend } = options;
    this.owner = owner;
    this.model = model;
    this.options = options;
    this.eta0 = eta0;
    this.solve = innerSolver(inner, model.linear === true && metric !== "kl") as InnerSolver<P>;
    this.problems = new InnerProblems(model, metric === "kl" ? "kl" : "quadratic", { forward: 0 }, backend);
  }

  /** The place before the first step. */
  start(): SsoPlace<P> {
    return {
      params: this.model.params,
      step: 0,
      metric: freshMetric,
      lastStep: null,
      calls: { grad: 0, loss: 0 },
      forwardCalls: 0,
      gradientNorm: Number.POSITIVE_INFINITY,
      asked: null,
      record: null,
    };
  }

  /**
   * One step. A place like the one before, with `record: null`, where the gradient is small enough or the signal fired:
   * what the oracle said is kept then.
   */
  async from(place: SsoPlace<P>, oracle: TargetOracle, input: StepInput): Promise<SsoPlace<P>> {
    const { count } = this.problems;
    count.forward = place.forwardCalls;
    const calls = { ...place.calls };

    // z <- f(params; x), g <- the gradient of the loss there: the only expensive call
    const asked = place.asked ?? (await this.ask(place, oracle, calls, input));
    const paid: SsoPlace<P> = { ...place, calls, forwardCalls: count.forward, asked, record: null };

    // params <- some steps on q
    const { z, grad, D, eta, loss, metric } = asked;
    const surrogate = new TargetSurrogate(z, grad, D, loss, this.options.metric === "kl" ? "kl" : "quadratic");
    const problem = this.problems.problem((input.all ?? input.batch).x, surrogate, turns(input.signal));
    try {
      const start = await problem.at(place.params);
      const gradientNorm = Math.sqrt(start.squaredNorm);
      if (!Number.isFinite(gradientNorm)) throw new NonFiniteError(`the surrogate's gradient has norm ${gradientNorm}`);
      if (input.tolerance !== undefined && gradientNorm <= input.tolerance) return { ...paid, gradientNorm };
      return await this.minimised(problem, start, place, { calls, eta, loss, metric });
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      return paid;
    }
  }

  /** Frees what was compiled. */
  release(): Promise<void> {
    return this.problems.release();
  }

  private async ask(
    { params, metric: before, step }: SsoPlace<P>,
    oracle: TargetOracle,
    calls: OracleCalls,
    { batch, all, examples, steps }: StepInput,
  ): Promise<Consultation> {
    const { metric = "euclidean", schedule = "constant", c = 0.5, newtonGuard = 1e-5 } = this.options;
    const { ids, rows } = batch;
    const z = await outputsOf(this.owner, this.problems, params, batch);
    if (metric === "kl") requireProbabilities(this.owner, z, ids);
    const answer = await ask(oracle, z, ids, calls, { grad: true, curvature: metric === "newton" });
    const loss = answer.loss.reduce((a, b) => a + b, 0) / ids.length;
    const { eta0 } = this;
    const factor = scheduleFactor(schedule, step, steps);
    const input = { eta: eta0 * factor, eta0, z, ids, rows, answer, oracle, calls, examples, c, newtonGuard };
    const { D, eta, state } = await chooseMetric(metric, before, input);
    if (all === undefined) return { z, grad: tensor(answer.grad, { shape: z.shape }), D, eta, loss, metric: state };
    const everywhere = await outputsOf(this.owner, this.problems, params, all);
    return { z: everywhere, grad: spread(answer, rows, everywhere), D, eta, loss, metric: state };
  }

  private async minimised(
    problem: InnerProblem<P>,
    start: Awaited<ReturnType<InnerProblem<P>["at"]>>,
    { step, lastStep }: SsoPlace<P>,
    { calls, eta, loss, metric }: Pick<SsoPlace, "calls" | "metric"> & Pick<Consultation, "eta" | "loss">,
  ): Promise<SsoPlace<P>> {
    const solved = await this.solve(problem, start, lastStep ?? undefined);
    const forwardCalls = this.problems.count.forward;
    const { grad: gradCalls, loss: lossCalls } = calls;
    return {
      params: solved.params,
      step: step + 1,
      metric,
      lastStep: solved.lastStep ?? lastStep,
      calls,
      forwardCalls,
      gradientNorm: Number.POSITIVE_INFINITY,
      asked: null,
      record: { step: step + 1, loss, eta, innerSteps: solved.steps, gradCalls, lossCalls, forwardCalls },
    };
  }
}

/** Outputs of the model for a batch, checked: an oracle is not asked about outputs that are not finite. */
export async function outputsOf<P>(
  owner: string,
  problems: InnerProblems<P>,
  params: P,
  { x, ids }: ExampleBatch,
): Promise<Tensor> {
  const z = await problems.forward(params, x);
  if (z.rank !== 2 || z.shape[0] !== ids.length) {
    throw new ShapeError(`${owner}: the model's outputs have shape [${z.shape}]; they must be [${ids.length}, C]`);
  }
  const values = z.data();
  for (let k = 0; k < values.length; k++) {
    if (Number.isFinite(values[k])) continue;
    const example = ids[Math.floor(k / z.shape[1])];
    throw new NonFiniteError(`the model's output for example ${example} is ${values[k]}; take smaller steps`);
  }
  return z;
}

/** Of a sum of float32 probabilities. */
const PROBABILITY_ROUNDING = 1e-3;

/** @throws ValueError for outputs that are no probabilities: their distance would mean nothing. */
function requireProbabilities(owner: string, z: Tensor, ids: Int32Array): void {
  const [rows, C] = z.shape;
  const values = z.data();
  for (let i = 0; i < rows; i++) {
    const row = Array.from(values.subarray(i * C, (i + 1) * C));
    const sum = row.reduce((a, b) => a + b, 0);
    if (Math.min(...row) >= 0 && Math.abs(sum - 1) <= PROBABILITY_ROUNDING) continue;
    throw new ValueError(
      `${owner}: the metric "kl" is for models whose outputs are probabilities, and those of example ${ids[i]} are not: their least is ${Math.min(...row)}, their sum ${sum}; end the model with softmax`,
    );
  }
}

/** The gradient of the surrogate over all examples: n/|S| times that of the batch, else 0. */
function spread({ grad }: CheckedAnswer, rows: Int32Array, z: Tensor): Tensor {
  const [n, C] = z.shape;
  const values = new Float64Array(n * C);
  rows.forEach((row, i) => {
    for (let c = 0; c < C; c++) values[row * C + c] += (n / rows.length) * grad[i * C + c];
  });
  return tensor(values, { shape: z.shape });
}

/** Lets others have their turn in a long inner solver, and ends it when the signal has fired. */
function turns(signal: AbortSignal | undefined): Turn {
  const breather = makeBreather();
  const unlessAborted = () => {
    if (signal?.aborted) throw new Interrupted();
  };
  return () => {
    if (breather.due()) return breather.pause().then(unlessAborted);
    unlessAborted();
    return undefined;
  };
}
