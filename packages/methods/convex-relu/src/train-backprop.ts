import { adam, applyUpdates, type GradientTransformation, sgd } from "@offprint/optim";
import { random, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";
import { type PgdOptions, pgdSettings, projectedAscent, signSteps } from "./attacks.js";
import type { Design } from "./design.js";
import type { Loss } from "./loss.js";
import type { TwoLayerNet } from "./network.js";
import { type NetworkArrays, networkGradient } from "./network-gradient.js";
import { radiiOf } from "./sample-patterns.js";
import { problemOf, requireCount, requirePositive } from "./settings.js";

const OWNER = "trainBackprop";

/** Options of `trainBackprop`. */
export interface BackpropOptions {
  /** What is minimised, summed over the samples. */
  loss: Loss;
  /** Hidden neurons, >= 1. */
  width: number;
  /** Weight of `1/2 sum_j (||u_j||^2 + a_j^2)`, > 0. */
  beta: number;
  /** Update rule. Default `adam`. */
  optimizer?: "sgd" | "adam";
  /** Steps over all samples, >= 1. */
  steps: number;
  /** Step size, > 0. Default 0.01. */
  lr?: number;
  /** Standard deviation of the first weights, > 0. Default 0.5. */
  initialStd?: number;
  /** Trains on moved samples: one step (`fgsm`) or several from a random start (`pgd`). Default: on the samples. */
  adversary?: { kind: "fgsm" | "pgd"; eps: TensorLike } & Omit<PgdOptions, "seed">;
  /** Whether a column of ones is appended to X. Default true. */
  bias?: boolean;
  /** Source of all randomness. Default 0. */
  seed?: number;
}

/** What `trainBackprop` gives. */
export interface BackpropResult {
  /** The last network. */
  readonly net: TwoLayerNet;
  /** Objective before every step, on the moved samples where there is an adversary. */
  readonly objectives: readonly number[];
}

/**
 * The baseline: full-batch gradient descent on the non-convex objective, which may end in a local optimum.
 * @param X `[samples, features]`.
 * @param y `[samples]`; -1 and 1 for `bce` and `hinge`.
 * @throws ValueError, ShapeError for data or options that are not as described.
 */
export function trainBackprop(X: TensorLike, y: TensorLike, options: BackpropOptions): BackpropResult {
  const { loss, width, beta, steps, lr = 0.01, initialStd = 0.5, adversary, bias = true, seed = 0 } = options;
  const problem = problemOf(OWNER, X, y, { loss, beta, bias, seed });
  requireCount(OWNER, "width", width);
  requireCount(OWNER, "steps", steps);
  requirePositive(OWNER, "lr", lr);
  requirePositive(OWNER, "initialStd", initialStd);
  const optimizer = optimizerOf(options.optimizer ?? "adam", lr);
  const { design } = problem;
  const { d } = design;
  const [weights, moves] = random.rng(seed).split(2);
  // U and a in one array, so that a step of the optimizer is one.
  const place = d * width;
  let params = weights.normal([place + width], { std: initialStd, dtype: "float64" });
  let state: any = optimizer.init(params);
  const move = adversaryOf(adversary, design, problem.y, loss, bias, moves);
  const objectives: number[] = [];
  for (let step = 0; step < steps; step++) {
    const values = params.data() as Float64Array;
    const arrays = { U: values.subarray(0, place), a: values.subarray(place), d, m: width };
    const gradient = new Float64Array(values.length);
    const parts = { U: gradient.subarray(0, place), a: gradient.subarray(place) };
    let objective = networkGradient(arrays, loss, move(arrays), problem.y, parts);
    for (let p = 0; p < values.length; p++) {
      gradient[p] += beta * values[p];
      objective += (beta / 2) * values[p] ** 2;
    }
    objectives.push(objective);
    const update = optimizer.update(tensor(gradient), state, params);
    state = update.state;
    params = applyUpdates(params, update.updates);
  }
  const values = params.data();
  const U = tensor(values.slice(0, place), { shape: [d, width] });
  return { net: { U, a: tensor(values.slice(place)), bias }, objectives };
}

function optimizerOf(name: "sgd" | "adam", learningRate: number): GradientTransformation {
  if (name === "adam") return adam({ learningRate });
  if (name === "sgd") return sgd({ learningRate });
  throw new ValueError(`${OWNER}: optimizer is "${String(name)}"; it must be sgd or adam`);
}

/** The rows that a step is made on. */
function adversaryOf(
  adversary: BackpropOptions["adversary"],
  design: Design,
  y: Float64Array,
  loss: Loss,
  bias: boolean,
  rng: random.Rng,
): (arrays: NetworkArrays) => Float64Array {
  if (adversary === undefined) return () => design.rows;
  if (adversary.kind !== "fgsm" && adversary.kind !== "pgd") {
    throw new ValueError(`${OWNER}: adversary.kind is "${String(adversary.kind)}"; it must be fgsm or pgd`);
  }
  const eps = radiiOf(OWNER, adversary.eps, design.d - (bias ? 1 : 0), design.d);
  if (adversary.kind === "fgsm") {
    return (arrays) => signSteps(arrays, loss, design, y, eps, design.rows.slice(), 1, 1);
  }
  const settings = pgdSettings(OWNER, adversary);
  return (arrays) => projectedAscent(arrays, loss, design, y, eps, settings, rng);
}
