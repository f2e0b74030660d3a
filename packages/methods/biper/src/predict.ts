import { makeBreather } from "@offprint/solvers";
import {
  asTensor,
  type Backend,
  checkOptions,
  concatenate,
  isTensor,
  jit,
  requireFinite,
  requireInteger,
  ShapeError,
  slice,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import type { NetworkPart } from "./network-part.js";
import type { TrainedNetwork } from "./trained-network.js";
import type { Stage } from "./weight-rules.js";

/** The network's output for inputs in memory, a batch at a time; to be used again and again. */
export interface Predictor<P, S> {
  /** `[samples, ...]` in memory. */
  (params: P, state: S, inputs: Tensor): Promise<Tensor>;
  /** Frees what was compiled. */
  release(): Promise<void>;
}

/** Inference of a network of a stage, compiled where there is a backend. */
export function predictor<P, S>(
  network: NetworkPart<P, S>,
  stage: Stage,
  batchSize: number,
  backend?: Backend,
): Predictor<P, S> {
  const apply = (params: P, state: S, x: Tensor) => network.run(params, state, x, { training: false, stage })[0];
  const compiled = backend === undefined ? undefined : jit(apply, { backend });
  const predict = async (params: P, state: S, inputs: Tensor) => {
    const breather = makeBreather();
    const parts: Tensor[] = [];
    for (let from = 0; from < inputs.shape[0]; from += batchSize) {
      const batch = slice(inputs, [{ start: from, stop: Math.min(inputs.shape[0], from + batchSize) }]);
      const y = await (compiled ?? apply)(params, state, batch);
      parts.push(await y.host());
      if (isTensor(y)) y.dispose();
      if (breather.due()) await breather.pause();
    }
    return parts.length === 1 ? parts[0] : concatenate(parts, 0);
  };
  return Object.assign(predict, {
    release: async () => {
      await compiled?.release();
    },
  });
}

/** Options of `predict`. */
export interface PredictOptions {
  /** Compiles the network; without it it runs eagerly. */
  backend?: Backend;
  /** Samples at a time, >= 1. Default 256. */
  batchSize?: number;
}

/**
 * The output of a trained network, with the weights of its stage: logits `[samples, classes]`.
 * @param inputs `[samples, channels, height, width]`, or whatever the network takes
 * @throws ShapeError for no samples, or where the network does not take such inputs; ValueError for inputs that are not
 * finite.
 */
export async function predict<P, S>(
  model: TrainedNetwork<P, S>,
  inputs: TensorLike,
  options: PredictOptions = {},
): Promise<Tensor> {
  if (typeof model?.network?.run !== "function") {
    throw new ValueError("predict: the model has no network; give the `model` of fitNetwork or loadNetwork");
  }
  checkOptions("predict", options, ["backend", "batchSize"]);
  const { backend, batchSize = 256 } = options;
  requireInteger("predict", "batchSize", batchSize, 1);
  const x = asTensor(inputs);
  if (x.rank === 0 || x.shape[0] === 0) throw new ShapeError(`predict: inputs of shape [${x.shape}] hold no samples`);
  requireFinite("predict", "inputs", x);
  const run = predictor(model.network, model.stage, batchSize, backend);
  try {
    return await run(model.params, model.state, x);
  } finally {
    await run.release();
  }
}
