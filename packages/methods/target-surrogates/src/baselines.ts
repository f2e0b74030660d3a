import { adagrad, adam, applyUpdates, type GradientTransformation } from "@offprint/optim";
import { jitSync, mul, requireChoice, sub, type Tensor, tensor, tree, ValueError } from "@offprint/tensor-core";
import { type BaselineResult, type DescentOptions, type DescentRule, descend } from "./descent.js";
import { type RateSchedule, scheduleFactor } from "./rate-schedule.js";
import type { TargetData } from "./target-data.js";
import type { TargetModel } from "./target-model.js";
import type { TargetOracle } from "./target-oracle.js";

/** A method with the interface of `sso`, which steps in parameter space. */
export type Baseline<Own = unknown> = <P, X>(
  model: TargetModel<P, X>,
  data: TargetData<X>,
  oracle: TargetOracle,
  options: DescentOptions<P> & Own,
) => Promise<BaselineResult<P>>;

/** Options of `sgd`. */
export interface ScheduleOption {
  /** How the learning rate falls. Default `constant`. */
  schedule?: RateSchedule;
}

/** Options of `sls`. */
export interface LineSearchOption {
  /** Sufficient decrease, in (0, 1). Default 0.1. */
  c?: number;
}

/** Options of `adagrad`. */
export interface ScalarOption {
  /** One sum of squares for all coordinates. Default false. */
  scalar?: boolean;
}

/** The methods that `sso` is compared with, counting calls the same way. */
export const baselines: {
  /** Stochastic gradient descent; gradient descent with full batches. */
  readonly sgd: Baseline<ScheduleOption>;
  /** Armijo's line search in parameter space on the batch's loss; factor 0.9, growing by 2^(1/batches) a step. */
  readonly sls: Baseline<LineSearchOption>;
  /** Adam. */
  readonly adam: Baseline;
  /** AdaGrad by coordinate, or with one step size. */
  readonly adagrad: Baseline<ScalarOption>;
  /** SVRG with an anchor at the beginning of every pass. */
  readonly svrg: Baseline;
} = {
  sgd: (model, data, oracle, options) => descend("sgd", model, data, oracle, options, gradientSteps, ["schedule"]),
  sls: (model, data, oracle, options) => descend("sls", model, data, oracle, options, searchedSteps, ["c"]),
  adam: (model, data, oracle, options) => descend("adam", model, data, oracle, options, adamSteps),
  adagrad: (model, data, oracle, options) => descend("adagrad", model, data, oracle, options, adagradRule, ["scalar"]),
  svrg: (model, data, oracle, options) => descend("svrg", model, data, oracle, options, anchoredSteps),
};

function gradientSteps<P>(options: DescentOptions<P> & ScheduleOption): DescentRule<P, null> {
  const { learningRate, schedule = "constant", steps } = options;
  scheduleFactor(schedule, 0, 1);
  return {
    begin: () => null,
    step: ({ params, gradient, t }) => ({
      params: moved(params, gradient, learningRate * scheduleFactor(schedule, t, steps)),
      memory: null,
    }),
  };
}

/** Remembers the length of the last step. */
function searchedSteps<P>({ learningRate, c = 0.1 }: DescentOptions<P> & LineSearchOption): DescentRule<P, number> {
  if (!(c > 0 && c < 1)) throw new ValueError(`sls: c is ${c}; it must be in (0, 1)`);
  return {
    begin: () => learningRate,
    async step({ params, gradient, squaredNorm, loss, t, perPass, memory, lossAt }) {
      let length = t > 0 ? memory * 2 ** (1 / perPass) : memory;
      for (let tries = 0; tries < 200; tries++) {
        const next = moved(params, gradient, length);
        if ((await lossAt(next)) <= loss - c * length * squaredNorm) return { params: next, memory: length };
        length *= 0.9;
      }
      return { params, memory: length };
    },
  };
}

function adagradRule<P>(options: DescentOptions<P> & ScalarOption): DescentRule<P, unknown> {
  requireChoice("adagrad", "scalar", options.scalar, [true, false]);
  return options.scalar ? (normalisedSteps(options) as DescentRule<P, unknown>) : adagradSteps(options);
}

/** Remembers the sum of the squared norms. */
function normalisedSteps<P>({ learningRate }: DescentOptions<P>): DescentRule<P, number> {
  return {
    begin: () => 0,
    step({ params, gradient, squaredNorm, memory }) {
      const total = memory + squaredNorm;
      return { params: total > 0 ? moved(params, gradient, learningRate / Math.sqrt(total)) : params, memory: total };
    },
  };
}

/** Remembers the anchor and the gradient of all examples there. */
function anchoredSteps<P>({ learningRate }: DescentOptions<P>): DescentRule<P, { anchor: P; whole: P }> {
  return {
    begin: (params) => ({ anchor: params, whole: params }),
    async step({ params, gradient, t, perPass, memory, gradientAt }) {
      const atAnchor = t % perPass === 0;
      const { anchor, whole } = atAnchor ? { anchor: params, whole: await gradientAt(params, true) } : memory;
      const there = await gradientAt(anchor);
      const corrected = combined((g, a, w) => g.sub(a).add(w), gradient, there, whole);
      return { params: moved(params, corrected, learningRate), memory: { anchor, whole } };
    },
  };
}

const adamSteps = byOptimizer(adam({ learningRate: 1 }));
const adagradSteps = byOptimizer(adagrad({ learningRate: 1 }));

/** Steps of an optimizer that was made with learning rate 1: compiled once for all rates. */
function byOptimizer(optimizer: GradientTransformation) {
  const stepped = jitSync((params: unknown, gradient: unknown, memory: unknown, rate: Tensor) => {
    const { updates, state } = optimizer.update(gradient as tree.Tree, memory, params as tree.Tree);
    const scaled: tree.Tree = combined((u) => mul(u, rate.cast(u.dtype)), updates);
    return { params: applyUpdates(params as tree.Tree, scaled) as unknown, memory: state as unknown };
  });
  return <P>({ learningRate }: DescentOptions<P>): DescentRule<P, unknown> => ({
    begin: (params) => optimizer.init(params as tree.Tree) as unknown,
    step({ params, gradient, memory }) {
      const next = stepped(params, gradient, memory, scalar(learningRate));
      return { params: next.params as P, memory: next.memory };
    },
  });
}

const minus = jitSync((params: unknown, direction: unknown, rate: Tensor) =>
  combined((p, d) => sub(p, mul(d, rate.cast(p.dtype))), params, direction),
);

/** params - rate direction. */
function moved<P>(params: P, direction: P, rate: number): P {
  return minus(params, direction, scalar(rate)) as P;
}

function scalar(value: number): Tensor {
  return tensor(value, { dtype: "float64" });
}

/** A function of the leaves of trees of tensors. */
function combined<P>(f: (...leaves: Tensor[]) => Tensor, ...trees: P[]): P {
  const [first, ...others] = trees;
  return tree.map(f, first, ...others);
}
