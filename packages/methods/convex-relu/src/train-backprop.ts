import { adam, applyUpdates, type GradientTransformation, sgd } from "@offprint/optim";
import { type Loop, type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  NonFiniteError,
  random,
  refuseIdle,
  requireChoice,
  requireInteger,
  requirePositive,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";
import { keep } from "./admm-state.js";
import { type PgdOptions, pgdSettings, projectedAscent, signSteps } from "./attacks.js";
import type { Design } from "./design.js";
import type { Loss } from "./loss.js";
import type { TwoLayerNet } from "./network.js";
import { type NetworkArrays, networkGradient } from "./network-gradient.js";
import { radiiOf } from "./sample-patterns.js";
import { problemOf } from "./settings.js";

const OWNER = "trainBackprop";

/** A step of `trainBackprop`. */
export interface BackpropRecord {
  /** Steps made, from 1. */
  readonly step: number;
  /** Objective before it, on the moved samples where there is an adversary. */
  readonly objective: number;
}

/** Where back-propagation stands, as a tree. */
export interface BackpropPoint {
  /** `[d * width + width]`: U by rows, then a. */
  readonly params: Float64Array;
  /** State of the update rule. */
  readonly optimizer: unknown;
  /** Objective before the last step; NaN before the first. */
  readonly objective: number;
}

/** Where a run of `trainBackprop` stands. */
export type BackpropState = RunState<BackpropPoint, BackpropRecord>;

/** Options of `trainBackprop`. */
export interface BackpropOptions extends RunOptions<BackpropRecord, BackpropState> {
  /** What is minimised, summed over the samples. */
  loss: Loss;
  /** Hidden neurons, >= 1. */
  width: number;
  /** Weight of `1/2 sum_j (||u_j||^2 + a_j^2)`, > 0. */
  beta: number;
  /** Update rule. Default `adam`. */
  optimizer?: "sgd" | "adam";
  /** Steps over all samples, those of resumed runs included. */
  steps: number;
  /** Step size, > 0. Default 0.01. */
  learningRate?: number;
  /** Standard deviation of the first weights, > 0. Default 0.5. */
  initialStd?: number;
  /** Trains on moved samples: one step (`fgsm`) or several from a random start (`pgd`). Default: on the samples. */
  adversary?: { kind: "fgsm" | "pgd"; eps: TensorLike } & Omit<PgdOptions, "seed">;
  /** Whether a column of ones is appended to X. Default true. */
  bias?: boolean;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
}

/** What `trainBackprop` gives. */
export interface BackpropResult {
  /** The last network. */
  readonly net: TwoLayerNet;
  /** How the run ended: never `converged`. */
  readonly status: Status;
  /** Steps made, those of resumed runs included. */
  readonly steps: number;
  /** One record for each of them. */
  readonly history: readonly BackpropRecord[];
  /** What `resume` takes. */
  readonly state: BackpropState;
}

const optionNames = [
  ...["loss", "width", "beta", "optimizer", "steps", "learningRate", "initialStd", "adversary", "bias", "seed"],
  ...runOptionNames,
];

/**
 * The baseline: full-batch gradient descent on the non-convex objective, which may end in a local optimum.
 * @param X `[samples, features]`.
 * @param y `[samples]`; -1 and 1 for `bce` and `hinge`.
 * @throws ValueError, ShapeError for data or options that are not as described; NonFiniteError, with the last good state,
 * where it diverges.
 */
export async function trainBackprop(X: TensorLike, y: TensorLike, options: BackpropOptions): Promise<BackpropResult> {
  checkOptions(OWNER, options, optionNames, ["loss", "width", "beta", "steps"]);
  const { loss, width, beta, steps, learningRate = 0.01, initialStd = 0.5, adversary, bias = true, seed = 0 } = options;
  const problem = problemOf(OWNER, X, y, { loss, beta, bias, seed });
  requireInteger(OWNER, "width", width, 1);
  requireInteger(OWNER, "steps", steps, 0);
  requirePositive(OWNER, "learningRate", learningRate);
  requirePositive(OWNER, "initialStd", initialStd);
  const optimizer = optimizerOf(options.optimizer ?? "adam", learningRate);
  const { design } = problem;
  const { d } = design;
  const [weights, moves] = random.rng(seed).split(2);
  // U and a in one array, so that a step of the optimizer is one.
  const place = d * width;
  const move = adversaryOf(adversary, design, problem.y, loss, bias, moves);
  const partsOf = (values: Float64Array) => ({ U: values.subarray(0, place), a: values.subarray(place) });
  const loop: Loop<BackpropPoint, BackpropRecord> = {
    owner: OWNER,
    limit: steps,
    limitName: "steps",
    initial() {
      const params = weights.normal([place + width], { std: initialStd, dtype: "float64" });
      return { params: params.data() as Float64Array, optimizer: optimizer.init(params), objective: Number.NaN };
    },
    step({ params, optimizer: state }, step) {
      const arrays = { ...partsOf(params), d, m: width };
      const gradient = new Float64Array(params.length);
      let objective = networkGradient(arrays, loss, move(arrays, step), problem.y, partsOf(gradient));
      for (let p = 0; p < params.length; p++) {
        gradient[p] += beta * params[p];
        objective += (beta / 2) * params[p] ** 2;
      }
      if (!Number.isFinite(objective)) {
        throw new NonFiniteError(`the objective is ${objective}; take a smaller learningRate than ${learningRate}`);
      }
      const point = tensor(params);
      const update = optimizer.update(tensor(gradient), state, point);
      const next = applyUpdates(point, update.updates).data() as Float64Array;
      return { params: next, optimizer: update.state, objective };
    },
    record: ({ objective }, step) => ({ step, objective }),
    check: ({ params }) => keep(OWNER, "params", params, new Float64Array(place + width)),
  };
  const { last, iterations, ...run } = await runLoop(loop, options);
  const { U, a } = partsOf(last.params);
  const net = { U: tensor(U.slice(), { shape: [d, width] }), a: tensor(a.slice()), bias };
  return { net, ...run, steps: iterations };
}

function optimizerOf(name: "sgd" | "adam", learningRate: number): GradientTransformation {
  requireChoice(OWNER, "optimizer", name, ["sgd", "adam"]);
  return name === "adam" ? adam({ learningRate }) : sgd({ learningRate });
}

/** The rows that a step is made on; its random starts are drawn from a stream of its own, so that a resumed run draws the same. */
function adversaryOf(
  adversary: BackpropOptions["adversary"],
  design: Design,
  y: Float64Array,
  loss: Loss,
  bias: boolean,
  rng: random.Rng,
): (arrays: NetworkArrays, step: number) => Float64Array {
  if (adversary === undefined) return () => design.rows;
  checkOptions(`${OWNER}: adversary`, adversary, ["kind", "eps", "steps", "stepSize", "randomStart"]);
  requireChoice(OWNER, "adversary.kind", adversary.kind ?? null, ["fgsm", "pgd"]);
  const eps = radiiOf(OWNER, adversary.eps, design.d - (bias ? 1 : 0), design.d);
  if (adversary.kind === "fgsm") {
    refuseIdle(`${OWNER}: adversary`, 'kind "fgsm"', adversary, ["steps", "stepSize", "randomStart"]);
    return (arrays) => signSteps(arrays, loss, design, y, eps, design.rows.slice(), 1, 1);
  }
  const settings = pgdSettings(OWNER, adversary);
  return (arrays, step) => projectedAscent(arrays, loss, design, y, eps, settings, rng.fork(step));
}
