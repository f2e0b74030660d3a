import { type Standardization, standardization } from "@offprint/data";
import { mlp } from "@offprint/nn";
import { adam, train } from "@offprint/optim";
import { type RunOptions, runOptionNames, runOptionsOf } from "@offprint/solvers";
import {
  type Backend,
  cast,
  checkOptions,
  jit,
  mean,
  random,
  requireChoice,
  requireInteger,
  requireNonNegative,
  sigmoid,
  softmax,
  square,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type SolvedLayer, type SolverName, type SolverRecord, type SolverState, solveLayer } from "./block-solver.js";
import { readNumbers } from "./fit.js";
import {
  activations,
  columnsOf,
  evaluateLayer,
  type HiddenActivation,
  type HiddenLayerSize,
  hiddenLayerObjective,
  type OutputLoss,
  viewLayer,
} from "./hidden-layer.js";
import { readFeatures } from "./model.js";
import { solverNames } from "./options.js";
import { requireWord } from "./requirements.js";

/** Options of `trainWhole`. */
export interface WholeOptions extends RunOptions<SolverRecord, SolverState> {
  /** Hidden units, an integer >= 1. Default 200. */
  readonly units?: number;
  /** Default `lbfgs`. */
  readonly solver?: SolverName;
  /** Most iterations or epochs. Default 200. */
  readonly maxIterations?: number;
  /** L2 penalty on the weights, >= 0. Default 1e-4. */
  readonly alpha?: number;
  /** Of the hidden units. Default `logistic`. */
  readonly activation?: HiddenActivation;
  /** `squared` for numbers, `logistic` for 0 or 1, `softmax` for one-hot targets. Default `squared`. */
  readonly loss?: OutputLoss;
  /**
   * Whether numbers are learnt in units of their deviation, whatever their own: with `squared` only. Default true; false is
   * what scikit-learn's networks do.
   */
  readonly standardizeTargets?: boolean;
  /** Source of all randomness. Default 0. */
  readonly seed?: number | string;
}

const wholeOptionNames = [
  "units",
  "solver",
  "maxIterations",
  "alpha",
  "activation",
  "loss",
  "standardizeTargets",
  "seed",
];

/** A network with one hidden layer that was trained as a whole. */
export interface WholeNetwork extends Omit<SolvedLayer, "parameters"> {
  /** Predictions, `[samples, outputs]`: numbers or probabilities. */
  predict(x: TensorLike): Tensor;
}

const links: Readonly<Record<OutputLoss, (F: Tensor) => Tensor>> = { squared: (F) => F, logistic: sigmoid, softmax };

/**
 * The baseline: all units at once, by the same objective and solvers as a block.
 *
 * @param x `[samples, features]`, standardised.
 * @param y `[samples]` or `[samples, outputs]`.
 * @throws ShapeError, ValueError for options or values that are not finite.
 */
export async function trainWhole(x: TensorLike, y: TensorLike, options: WholeOptions = {}): Promise<WholeNetwork> {
  const owner = "trainWhole";
  checkOptions(owner, options, [...wholeOptionNames, ...runOptionNames]);
  const { units = 200, solver = "lbfgs", maxIterations = 200, alpha = 1e-4 } = options;
  const { activation = "logistic", loss = "squared", standardizeTargets = true, seed = 0 } = options;
  requireChoice(owner, "standardizeTargets", standardizeTargets, [true, false]);
  if (loss !== "squared" && options.standardizeTargets !== undefined) {
    throw new ValueError(`${owner}: standardizeTargets is of the loss "squared", and this is "${loss}"; leave it out`);
  }
  requireInteger(owner, "units", units, 1);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireNonNegative(owner, "alpha", alpha);
  requireWord(owner, "solver", solver, solverNames);
  requireWord(owner, "activation", activation, Object.keys(activations));
  requireWord(owner, "loss", loss, Object.keys(links));
  const { data, rows, features } = readFeatures(owner, x);
  const { targets, outputs } = readNumbers(owner, y, rows);
  const size: HiddenLayerSize = { features, units, outputs };
  const objective = hiddenLayerObjective(size, { alpha, activation, loss });
  const scale = loss === "squared" && standardizeTargets ? scaleOf(targets, rows, outputs) : undefined;
  const learnt =
    scale === undefined ? targets : (scale.apply(tensor(targets, { shape: [rows, outputs] })).data() as Float64Array);
  const samples = { x: columnsOf(data, features), targets: columnsOf(learnt, outputs) };
  const solverOptions = { solver, maxIterations, gradientTolerance: 0, alpha, activation, loss };
  try {
    const { parameters, ...fitted } = await solveLayer(
      owner,
      random.rng(seed),
      objective,
      samples,
      size,
      solverOptions,
      runOptionsOf(options),
    );
    const layer = viewLayer(parameters, size);
    return {
      ...fitted,
      predict(at) {
        const given = readFeatures(owner, at, features);
        const F = evaluateLayer(columnsOf(given.data, features), layer, size, activation);
        const predicted = links[loss](tensor(F, { shape: [given.rows, outputs] }));
        return scale === undefined ? predicted : scale.invert(predicted);
      },
    };
  } finally {
    objective.release();
  }
}

/** The unit of each output, so that networks learn numbers of order one. */
function scaleOf(targets: Float64Array, rows: number, outputs: number): Standardization {
  return standardization(tensor(targets, { shape: [rows, outputs] }));
}

/** Options of `trainDeep`. */
export interface DeepOptions {
  /** Widths of the hidden layers. Default three of 60. */
  readonly hidden?: readonly number[];
  /** Epochs of Adam (rate 1e-3, batches of min(200, n)). Default 200. */
  readonly epochs?: number;
  /** Whether numbers are learnt in units of their deviation, whatever their own. Default true. */
  readonly standardizeTargets?: boolean;
  /** Source of all randomness. Default 0. */
  readonly seed?: number | string;
  /** Compiles the training step and the predictions. Default: the compiler of tensor-core. */
  readonly backend?: Backend;
  /** Ends the training; what was learnt so far predicts. */
  readonly signal?: AbortSignal;
}

/**
 * The baseline with several hidden layers, for numbers, by Adam, in float32. Gives a function from `[samples, features]`
 * to predictions.
 */
export async function trainDeep(
  x: TensorLike,
  y: TensorLike,
  options: DeepOptions = {},
): Promise<(x: TensorLike) => Promise<Tensor>> {
  const owner = "trainDeep";
  checkOptions(owner, options, ["hidden", "epochs", "standardizeTargets", "seed", "backend", "signal"]);
  const { hidden = [60, 60, 60], epochs = 200, standardizeTargets = true, seed = 0, backend, signal } = options;
  requireChoice(owner, "standardizeTargets", standardizeTargets, [true, false]);
  const { data, rows, features } = readFeatures(owner, x);
  const { targets, outputs } = readNumbers(owner, y, rows);
  if (!Array.isArray(hidden)) throw new ValueError(`${owner}: hidden is ${hidden}; give an array of widths`);
  const network = mlp({ sizes: [features, ...hidden, outputs], activation: "sigmoid" });
  const inputs = tensor(data, { shape: [rows, features], dtype: "float32" });
  const scale = standardizeTargets ? scaleOf(targets, rows, outputs) : undefined;
  const given = tensor(targets, { shape: [rows, outputs] });
  const truth = cast(scale?.apply(given) ?? given, "float32");
  const batch = Math.min(200, rows);
  type Params = ReturnType<typeof network.init>;
  const { params } = await train({
    owner,
    initial: network.init(random.rng(`${seed}/deep`)),
    optimizer: adam({ learningRate: 1e-3 }),
    loss: (p: Params, samples: { inputs: Tensor; truth: Tensor }) =>
      mean(square(sub(network.apply(p, samples.inputs), samples.truth))),
    *data(_: number, rng: random.Rng) {
      const order = rng.permutation(rows).data();
      for (let from = 0; from + batch <= rows; from += batch) {
        const chosen = order.subarray(from, from + batch);
        yield { inputs: take(inputs, chosen), truth: take(truth, chosen) };
      }
    },
    epochs,
    seed,
    ...(backend && { backend }),
    ...(signal && { signal }),
  });
  const predict = (p: Params, samples: Tensor) => network.apply(p, samples);
  const run = jit(predict, backend && { backend });
  return async (at) => {
    const given = readFeatures(owner, at, features);
    const samples = tensor(given.data, { shape: [given.rows, features], dtype: "float32" });
    const predicted = await (await run(params, samples)).host();
    return scale?.invert(cast(predicted, "float64")) ?? predicted;
  };
}
