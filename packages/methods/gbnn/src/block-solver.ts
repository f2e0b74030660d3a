import { adam, applyUpdates, type GradientTransformation, sgd } from "@offprint/optim";
import { type MinimizerStatus, minimizeLbfgsSync } from "@offprint/solvers";
import { type Rng, type Tensor, tensor } from "@offprint/tensor-core";
import {
  drawParameters,
  type FitSamples,
  type HiddenLayerSize,
  hiddenLayerObjective,
  type ObjectiveOptions,
} from "./hidden-layer.js";

/** How the parameters of a hidden layer are found. */
export type SolverName = "lbfgs" | "adam" | "sgd";

/** Why a fit ended; that of `adam` and `sgd` is always their `limit` of epochs. */
export type SolverStatus = MinimizerStatus;

/** A fitted hidden layer, as a vector of all parameters. */
export interface SolvedLayer {
  /** W1, b1, W2, b2. */
  readonly parameters: Float64Array;
  /** The objective after the fit. */
  readonly objective: number;
  /** Why it ended. */
  readonly status: SolverStatus;
  /** Iterations or epochs made. */
  readonly iterations: number;
}

/** How a layer is fitted. */
export interface SolverOptions extends ObjectiveOptions {
  /** Which solver. */
  readonly solver: SolverName;
  /** Most iterations or epochs. */
  readonly maxIter: number;
  /** Of the gradient's largest entry, for L-BFGS. */
  readonly tol: number;
}

/** scipy's default: a relative decrease of 1e7 machine epsilons. */
const DECREASE_TOLERANCE = 2.220446049250313e-9;
const BATCH = 200;

/** Fits a network with one hidden layer from a fresh draw of its parameters. */
export function solveLayer(rng: Rng, samples: FitSamples, size: HiddenLayerSize, options: SolverOptions): SolvedLayer {
  const initial = drawParameters(rng, size, options.activation);
  if (options.solver !== "lbfgs") return descendInBatches(rng, samples, size, options, initial);
  const { x, objective, status, iterations } = minimizeLbfgsSync(
    hiddenLayerObjective(samples, size, options),
    initial,
    {
      memory: 10,
      gradientTolerance: options.tol,
      decreaseTolerance: DECREASE_TOLERANCE,
      maxIterations: options.maxIter,
      maxLineSearch: 20,
    },
  );
  return { parameters: x, objective, status, iterations };
}

function optimizerOf(solver: "adam" | "sgd"): GradientTransformation {
  return solver === "adam" ? adam({ learningRate: 1e-3 }) : sgd({ learningRate: 1e-3, momentum: 0.9, nesterov: true });
}

function descendInBatches(
  rng: Rng,
  { x, targets }: FitSamples,
  size: HiddenLayerSize,
  options: SolverOptions,
  initial: Float64Array,
): SolvedLayer {
  const { features: d, outputs: K } = size;
  const n = targets.length / K;
  const optimizer = optimizerOf(options.solver as "adam" | "sgd");
  let params: Tensor = tensor(initial);
  let state = optimizer.init(params);
  for (let epoch = 0; epoch < options.maxIter; epoch++) {
    const order = rng.permutation(n).data();
    for (let from = 0; from < n; from += BATCH) {
      const rows = order.subarray(from, from + BATCH);
      const batch = { x: takeRows(x, rows, d), targets: takeRows(targets, rows, K) };
      const gradient = new Float64Array(params.size);
      hiddenLayerObjective(batch, size, options)(params.data() as Float64Array, gradient);
      const step = optimizer.update(tensor(gradient), state, params);
      params = applyUpdates(params, step.updates);
      state = step.state;
    }
  }
  const parameters = params.data() as Float64Array;
  const objective = hiddenLayerObjective({ x, targets }, size, options)(parameters, new Float64Array(params.size));
  return { parameters, objective, status: "limit", iterations: options.maxIter };
}

/** Rows of a row-major matrix. */
export function takeRows(matrix: Float64Array, rows: ArrayLike<number>, width: number): Float64Array {
  const out = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) out.set(matrix.subarray(rows[i] * width, (rows[i] + 1) * width), i * width);
  return out;
}
