import { mlp } from "@offprint/nn";
import { adam, train } from "@offprint/optim";
import {
  type Backend,
  jit,
  mean,
  random,
  square,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";
import { type SolverName, type SolverStatus, solveLayer, takeRows } from "./block-solver.js";
import {
  evaluateLayer,
  type HiddenActivation,
  type HiddenLayerSize,
  type OutputLoss,
  viewLayer,
} from "./hidden-layer.js";
import { logistic, softmaxRows } from "./loss.js";
import { readFeatures } from "./model.js";
import { integerAtLeast } from "./requirements.js";

/** Options of `trainWhole`. */
export interface WholeOptions {
  /** Hidden units, an integer >= 1. Default 200. */
  units?: number;
  /** Default `lbfgs`. */
  solver?: SolverName;
  /** Most iterations or epochs. Default 200. */
  maxIter?: number;
  /** L2 penalty on the weights. Default 1e-4. */
  alpha?: number;
  /** Of the hidden units. Default `logistic`. */
  activation?: HiddenActivation;
  /** `squared` for numbers, `logistic` for 0 or 1, `softmax` for one-hot targets. Default `squared`. */
  loss?: OutputLoss;
  /** Source of all randomness. Default 0. */
  seed?: number;
}

/** A network with one hidden layer that was trained as a whole. */
export interface WholeNetwork {
  /** Predictions, `[samples, outputs]`: numbers or probabilities. */
  predict(x: TensorLike): Tensor;
  /** The objective after the fit. */
  readonly objective: number;
  /** Why the fit ended. */
  readonly status: SolverStatus;
}

/**
 * The baseline: all units at once, by the same objective and solvers as a block.
 *
 * @param x `[samples, features]`, standardised.
 * @param targets `[samples]` or `[samples, outputs]`.
 */
export function trainWhole(x: TensorLike, targets: Tensor, options: WholeOptions = {}): WholeNetwork {
  const {
    units = 200,
    solver = "lbfgs",
    maxIter = 200,
    alpha = 1e-4,
    activation = "logistic",
    loss = "squared",
  } = options;
  integerAtLeast("trainWhole", "units", units, 1);
  const { data, features } = readFeatures("trainWhole", x);
  const size: HiddenLayerSize = { features, units, outputs: targets.shape[1] ?? 1 };
  const samples = { x: data, targets: Float64Array.from(targets.data()) };
  const fitted = solveLayer(random.rng(options.seed ?? 0), samples, size, {
    solver,
    maxIter,
    tol: 0,
    alpha,
    activation,
    loss,
  });
  const layer = viewLayer(fitted.parameters, size);
  return {
    objective: fitted.objective,
    status: fitted.status,
    predict(at) {
      const { data: rows } = readFeatures("trainWhole", at, features);
      let out = evaluateLayer(rows, layer, size, activation);
      if (loss === "logistic") out = out.map(logistic);
      else if (loss === "softmax") out = softmaxRows(out, size.outputs);
      return tensor(out, { shape: [rows.length / features, size.outputs] });
    },
  };
}

/** Options of `trainDeep`. */
export interface DeepOptions {
  /** Widths of the hidden layers. Default three of 60. */
  hidden?: readonly number[];
  /** Epochs of Adam (rate 1e-3, batches of min(200, n)). Default 200. */
  epochs?: number;
  /** Source of all randomness. Default 0. */
  seed?: number;
  /** Compiles the training step. */
  backend?: Backend;
}

/** The baseline with several hidden layers, for numbers, by Adam. Gives a function from `[samples, features]` to predictions. */
export async function trainDeep(
  x: TensorLike,
  y: Tensor,
  { hidden = [60, 60, 60], epochs = 200, seed = 0, backend }: DeepOptions = {},
): Promise<(x: TensorLike) => Promise<Tensor>> {
  const { data, rows, features } = readFeatures("trainDeep", x);
  const outputs = y.shape[1] ?? 1;
  const targets = Float64Array.from(y.data());
  const network = mlp({ sizes: [features, ...hidden, outputs], activation: "sigmoid" });
  const batch = Math.min(200, rows);
  const { params } = await train({
    initial: network.init(random.rng(`${seed}/deep`)),
    optimizer: adam({ learningRate: 1e-3 }),
    loss: (p: any, { inputs, truth }: { inputs: Tensor; truth: Tensor }) =>
      mean(square(sub(network.apply(p, inputs), truth))),
    *data(_: number, rng: random.Rng) {
      const order = rng.permutation(rows).data();
      for (let from = 0; from + batch <= rows; from += batch) {
        const chosen = order.subarray(from, from + batch);
        yield {
          inputs: tensor(Float32Array.from(takeRows(data, chosen, features)), { shape: [batch, features] }),
          truth: tensor(Float32Array.from(takeRows(targets, chosen, outputs)), { shape: [batch, outputs] }),
        };
      }
    },
    epochs,
    seed,
    ...(backend && { backend }),
  });
  const predict = (p: any, inputs: Tensor) => network.apply(p, inputs);
  const run = backend ? jit(predict, { backend }) : predict;
  return async (at) => {
    const { data: values } = readFeatures("trainDeep", at, features);
    const inputs = tensor(Float32Array.from(values), { shape: [values.length / features, features] });
    return await (await run(params, inputs)).host();
  };
}
