import { onHost } from "@offprint/optim";
import { type Loop, type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import { type Backend, checkOptions, requireInteger, requirePositive, tensor } from "@offprint/tensor-core";
import { InnerProblems } from "./inner-problem.js";
import { checkCalls, checkParams } from "./resumed-place.js";
import { type OracleRecord, outputsOf } from "./sso-step.js";
import type { Soon } from "./surrogate-programs.js";
import { type BatchChoice, type ExampleBatch, TargetBatches, type TargetData } from "./target-data.js";
import { checkModel, type TargetModel } from "./target-model.js";
import { ask, checkOracle, type OracleCalls, type TargetOracle } from "./target-oracle.js";
import { TargetSurrogate } from "./target-surrogate.js";

/** Where a method that steps in parameter space stands, as a tree. */
export interface DescentPlace<P = unknown> {
  /** Parameters. */
  readonly params: P;
  /** What the method remembers: moments, the last step. */
  readonly memory: unknown;
  /** Calls so far. */
  readonly calls: OracleCalls;
  /** Evaluations of the model so far. */
  readonly forwardCalls: number;
  /** Mean loss of the last batch before its step. */
  readonly loss: number;
}

/** What such a run goes on from: a tree that `tree.toJson` keeps. */
export type BaselineState<P = unknown> = RunState<DescentPlace<P>, OracleRecord>;

/** Options of the methods that step in parameter space. */
export interface DescentOptions<P = unknown> extends RunOptions<OracleRecord, BaselineState<P>> {
  /** Steps, an integer >= 1; each is one expensive call (two for `svrg`, and n/b more at an anchor). */
  steps: number;
  /** > 0: the learning rate; the first step for `sls`. */
  learningRate: number;
  /** As for `sso`. Default `full`. */
  batch?: BatchChoice;
  /** As for `sso`. Default true. */
  dropLast?: boolean;
  /** As for `sso`. Default 0. */
  seed?: number | string;
  /** Compiles gradients of models that are not linear. Default: the compiler of tensor-core. */
  backend?: Backend;
}

const optionNames: readonly string[] = [
  "steps",
  "learningRate",
  "batch",
  "dropLast",
  "seed",
  "backend",
  ...runOptionNames,
];

/** What the baselines give. */
export interface BaselineResult<P = unknown> {
  /** Parameters after the last step, in memory. */
  readonly params: P;
  /** Steps made, those of the resumed run included. */
  readonly steps: number;
  /** The record of each of them. */
  readonly history: readonly OracleRecord[];
  /** `limit` after `steps`; `stopped`; `aborted`. */
  readonly status: Status;
  /** To go on from. */
  readonly state: BaselineState<P>;
}

/** What a rule gets for a step. */
export interface DescentContext<P, M> {
  readonly params: P;
  readonly memory: M;
  readonly gradient: P;
  readonly squaredNorm: number;
  /** Mean loss of the batch. */
  readonly loss: number;
  /** Steps made before. */
  readonly t: number;
  /** Steps of a pass. */
  readonly perPass: number;
  /** Batch loss at other parameters: one call for losses. */
  lossAt(params: P): Promise<number>;
  /** Gradient at other parameters, of this batch or of all examples: expensive calls, as many as a pass has batches. */
  gradientAt(params: P, all?: boolean): Promise<P>;
}

/** How a gradient becomes a step. */
export interface DescentRule<P, M> {
  /** What it remembers before the first step. */
  begin(params: P): M;
  /** The parameters after a step, and what is remembered of it. */
  step(context: DescentContext<P, M>): Soon<{ readonly params: P; readonly memory: M }>;
}

/** Runs a rule in parameter space, and counts what it asks of the oracle. */
export async function descend<P, X, M, O extends DescentOptions<P>>(
  owner: string,
  given: TargetModel<P, X>,
  data: TargetData<X>,
  oracle: TargetOracle,
  options: O,
  makeRule: (options: O) => DescentRule<P, M>,
  ownNames: readonly string[] = [],
): Promise<BaselineResult<P>> {
  checkOptions(owner, options, [...optionNames, ...ownNames]);
  const model = given as TargetModel<P>;
  checkModel(owner, model);
  checkOracle(owner, oracle);
  const { steps, learningRate, batch = "full", seed, dropLast, backend } = options;
  requireInteger(owner, "steps", steps, 1);
  requirePositive(owner, "learningRate", learningRate);
  const rule = makeRule(options);
  const batches = new TargetBatches(owner, data, batch, seed, dropLast);
  const problems = new InnerProblems(model, "quadratic", { forward: 0 }, backend);

  const gradientOf = async (params: P, examples: ExampleBatch, calls: OracleCalls) => {
    const z = await outputsOf(owner, problems, params, examples);
    const answer = await ask(oracle, z, examples.ids, calls, { grad: true });
    const loss = meanOf(answer.loss);
    // the gradient of any surrogate at its own point is that of the loss
    const surrogate = new TargetSurrogate(z, tensor(answer.grad, { shape: z.shape }), 1, loss);
    const { gradient, squaredNorm } = await problems.problem(examples.x, surrogate).at(params);
    return { gradient: await onHost(gradient), squaredNorm, loss };
  };

  const loop: Loop<DescentPlace<P>, OracleRecord> = {
    owner,
    limit: steps,
    limitName: "steps",
    initial: () => {
      const { params } = model;
      return { params, memory: rule.begin(params), calls: { grad: 0, loss: 0 }, forwardCalls: 0, loss: Number.NaN };
    },
    async step(place, iteration) {
      problems.count.forward = place.forwardCalls;
      const calls = { ...place.calls };
      const t = iteration - 1;
      const part = batches.at(t);
      const { gradient, squaredNorm, loss } = await gradientOf(place.params, part, calls);
      const { params, memory } = await rule.step({
        params: place.params,
        memory: place.memory as M,
        gradient,
        squaredNorm,
        loss,
        t,
        perPass: batches.perPass,
        lossAt: async (at) =>
          meanOf((await ask(oracle, await outputsOf(owner, problems, at, part), part.ids, calls)).loss),
        gradientAt: async (at, all = false) => {
          // an answer about all examples counts like those about the batches of a pass
          if (all) calls.grad += batches.perPass - 1;
          return (await gradientOf(at, all ? batches.all() : part, calls)).gradient;
        },
      });
      return { params, memory, calls, forwardCalls: problems.count.forward, loss };
    },
    record: ({ calls, forwardCalls, loss }, step) => ({
      step,
      loss,
      gradCalls: calls.grad,
      lossCalls: calls.loss,
      forwardCalls,
    }),
    snapshot: async (place) => ({ ...place, params: await onHost(place.params) }),
    check: (place) => {
      checkParams(owner, place?.params, model.params);
      checkCalls(owner, place.calls, place.forwardCalls);
    },
  };
  try {
    const { last, iterations, history, status, state } = await runLoop(loop, options);
    return { params: last.params, steps: iterations, history, status, state };
  } finally {
    await problems.release();
  }
}

function meanOf(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
