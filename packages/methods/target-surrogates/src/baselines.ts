import { adagrad, adam, applyUpdates, type GradientTransformation, onHost } from "@offprint/optim";
import { type Backend, type Tensor, tensor, tree, ValueError } from "@offprint/tensor-core";
import { innerProblems } from "./inner-problem.js";
import { type RateSchedule, scheduleFactor } from "./rate-schedule.js";
import type { SsoRecord, SsoResult } from "./sso.js";
import { type BatchChoice, TargetBatches, type TargetData } from "./target-data.js";
import { freshMetric } from "./target-metric.js";
import type { TargetModel } from "./target-model.js";
import { ask, type TargetOracle } from "./target-oracle.js";
import { TargetSurrogate } from "./target-surrogate.js";

/** Options of the methods that step in parameter space. */
export interface BaselineOptions {
  /** Steps, an integer >= 1; each is one expensive call (two for `svrg`, and n/b more at an anchor). */
  steps: number;
  /** > 0: the learning rate; the first step for `sls`. */
  learningRate: number;
  /** How it falls (`sgd`). Default `constant`. */
  schedule?: RateSchedule;
  /** As for `sso`. Default `full`. */
  batch?: BatchChoice;
  /** As for `sso`. Default true. */
  dropLast?: boolean;
  /** Sufficient decrease (`sls`), in (0, 1). Default 0.1. */
  c?: number;
  /** One sum of squares for all coordinates (`adagrad`). Default false. */
  scalar?: boolean;
  /** Source of the batches' order. Default 0. */
  seed?: number | string;
  /** Compiles gradients of models that are not linear. */
  backend?: Backend;
  /** Called, and awaited, after each step; `"stop"` ends the run. */
  onProgress?: (record: SsoRecord, params: any) => unknown;
  /** Ends the run before the next step. */
  signal?: AbortSignal;
}

/** What a rule of steps gets. */
interface StepContext {
  readonly params: any;
  readonly gradient: any;
  readonly squaredNorm: number;
  readonly loss: number;
  readonly t: number;
  /** Batch loss at other parameters: one call for losses. */
  lossAt(params: any): Promise<number>;
  /** Gradient at other parameters, of this batch or of all examples: expensive calls, as many as a pass has batches. */
  gradientAt(params: any, all?: boolean): Promise<any>;
}

type Rule = (context: StepContext) => any;

async function descend<P>(
  name: string,
  model: TargetModel<P>,
  data: TargetData,
  oracle: TargetOracle,
  options: BaselineOptions,
  makeRule: (batches: TargetBatches) => Rule,
): Promise<SsoResult<P>> {
  const { steps, learningRate, batch = "full", seed = 0, dropLast = true, signal, onProgress, backend } = options;
  if (!Number.isSafeInteger(steps) || steps < 1)
    throw new ValueError(`${name}: steps is ${steps}; it must be an integer >= 1`);
  if (!(learningRate > 0 && Number.isFinite(learningRate))) {
    throw new ValueError(`${name}: learningRate is ${learningRate}; it must be a finite number > 0`);
  }
  const batches = new TargetBatches(name, data, batch, seed, dropLast);
  const rule = makeRule(batches);
  const count = { forward: 0 };
  const calls = { grad: 0, loss: 0 };
  const problems = innerProblems(model, "quadratic", count, backend);
  // an answer about all examples counts like those about the batches of a pass
  const gradientOf = async (params: any, { x, ids }: { readonly x: any; readonly ids: Int32Array }, worth = 1) => {
    const z = await problems.forward(params, x);
    calls.grad += worth - 1;
    const answer = await ask(oracle, z, ids, calls, { grad: true });
    const loss = answer.loss.reduce((a, b) => a + b, 0) / ids.length;
    // the gradient of any surrogate at its own point is that of the loss
    const surrogate = new TargetSurrogate(z, tensor(answer.grad, { shape: z.shape }), 1, loss);
    const { gradient, squaredNorm } = await problems.problem(x, surrogate).at(params);
    return { gradient: await onHost(gradient), squaredNorm, loss };
  };
  let params: any = model.params;
  let status: SsoResult["status"] = "completed";
  const history: SsoRecord[] = [];
  try {
    for (let t = 0; t < steps; t++) {
      if (signal?.aborted) {
        status = "aborted";
        break;
      }
      const part = batches.at(t);
      const { gradient, squaredNorm, loss } = await gradientOf(params, part);
      params = await rule({
        params,
        gradient,
        squaredNorm,
        loss,
        t,
        lossAt: async (at) => {
          const said = await ask(oracle, await problems.forward(at, part.x), part.ids, calls);
          return said.loss.reduce((a, b) => a + b, 0) / part.ids.length;
        },
        gradientAt: async (at, all) =>
          (await (all ? gradientOf(at, batches.all(), batches.perPass) : gradientOf(at, part))).gradient,
      });
      const record = {
        step: t,
        loss,
        eta: Number.NaN,
        innerSteps: 1,
        gradCalls: calls.grad,
        lossCalls: calls.loss,
        forwardCalls: count.forward,
      };
      history.push(record);
      if ((await onProgress?.(record, params)) === "stop") {
        status = "stopped";
        break;
      }
    }
  } finally {
    await problems.release();
  }
  params = await onHost(params);
  const state = { params, step: history.length, metric: freshMetric, calls, forwardCalls: count.forward };
  return { params, history, status, state };
}

function moved(params: any, gradient: any, length: number): any {
  return tree.map((p: Tensor, g: Tensor) => p.sub(g.mul(length)), params, gradient);
}

function byOptimizer(optimizer: GradientTransformation): () => Rule {
  let state: any;
  return () =>
    ({ params, gradient }) => {
      const next = optimizer.update(gradient, state ?? optimizer.init(params), params);
      state = next.state;
      return applyUpdates(params, next.updates);
    };
}

/** A method with the interface of `sso`, which steps in parameter space. */
export type Baseline = <P>(
  model: TargetModel<P>,
  data: TargetData,
  oracle: TargetOracle,
  options: BaselineOptions,
) => Promise<SsoResult<P>>;

/** The methods that `sso` is compared with, counting calls the same way. */
export const baselines: {
  /** Stochastic gradient descent, with the schedules; gradient descent with full batches. */
  readonly sgd: Baseline;
  /** Armijo's line search in parameter space on the batch's loss; factor 0.9, growing by 2^(1/batches) a step. */
  readonly sls: Baseline;
  /** Adam. */
  readonly adam: Baseline;
  /** AdaGrad by coordinate, or with one step size (`scalar`). */
  readonly adagrad: Baseline;
  /** SVRG with an anchor at the beginning of every pass. */
  readonly svrg: Baseline;
} = {
  sgd: (model, data, oracle, options) =>
    descend(
      "sgd",
      model,
      data,
      oracle,
      options,
      () =>
        ({ params, gradient, t }) =>
          moved(
            params,
            gradient,
            options.learningRate * scheduleFactor(options.schedule ?? "constant", t, options.steps),
          ),
    ),
  sls: (model, data, oracle, options) => {
    const { c = 0.1, learningRate } = options;
    if (!(c > 0 && c < 1)) throw new ValueError(`sls: c is ${c}; it must be in (0, 1)`);
    let length = learningRate;
    return descend(
      "sls",
      model,
      data,
      oracle,
      options,
      (batches) =>
        async ({ params, gradient, squaredNorm, loss, t, lossAt }) => {
          if (t > 0) length *= 2 ** (1 / batches.perPass);
          for (let tries = 0; tries < 200; tries++) {
            const next = moved(params, gradient, length);
            if ((await lossAt(next)) <= loss - c * length * squaredNorm) return next;
            length *= 0.9;
          }
          return params;
        },
    );
  },
  adam: (model, data, oracle, options) =>
    descend("adam", model, data, oracle, options, byOptimizer(adam({ learningRate: options.learningRate }))),
  adagrad: (model, data, oracle, options) => {
    if (!options.scalar) {
      return descend(
        "adagrad",
        model,
        data,
        oracle,
        options,
        byOptimizer(adagrad({ learningRate: options.learningRate })),
      );
    }
    let total = 0;
    return descend("adagrad", model, data, oracle, options, () => ({ params, gradient, squaredNorm }) => {
      total += squaredNorm;
      return total > 0 ? moved(params, gradient, options.learningRate / Math.sqrt(total)) : params;
    });
  },
  svrg: (model, data, oracle, options) => {
    let anchor: any;
    let whole: any;
    return descend("svrg", model, data, oracle, options, (batches) => async ({ params, gradient, t, gradientAt }) => {
      if (t % batches.perPass === 0) {
        anchor = params;
        whole = await gradientAt(params, true);
      }
      const there = await gradientAt(anchor);
      const corrected = tree.map((g: Tensor, a: Tensor, w: Tensor) => g.sub(a).add(w), gradient, there, whole);
      return moved(params, corrected, options.learningRate);
    });
  },
};
