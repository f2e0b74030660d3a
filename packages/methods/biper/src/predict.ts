import {
  asTensor,
  type Backend,
  concatenate,
  isTensor,
  jit,
  ShapeError,
  slice,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import { requireWhole } from "./geometry.js";
import type { NetworkPart } from "./network-part.js";
import type { TrainedNetwork } from "./trained-network.js";
import type { Stage } from "./weight-rules.js";

/** The network's output for inputs in memory, a batch at a time; to be used again and again. */
export interface Predictor {
  /** `[samples, ...]` in memory. */
  (params: any, state: any, inputs: Tensor): Promise<Tensor>;
  /** Frees what was compiled. */
  release(): Promise<void>;
}

/** Inference of a network of a stage, compiled where there is a backend. */
export function predictor(network: NetworkPart, stage: Stage, batchSize: number, backend?: Backend): Predictor {
  const apply = (params: any, state: any, x: Tensor) => network.run(params, state, x, { training: false, stage })[0];
  const compiled = backend === undefined ? undefined : jit(apply, { backend });
  const predict = async (params: any, state: any, inputs: Tensor) => {
    const parts: Tensor[] = [];
    for (let from = 0; from < inputs.shape[0]; from += batchSize) {
      const batch = slice(inputs, [{ start: from, stop: Math.min(inputs.shape[0], from + batchSize) }]);
      const y = await (compiled ?? apply)(params, state, batch);
      parts.push(await y.host());
      if (isTensor(y)) y.dispose();
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
 * @throws ShapeError for no samples, or where the network does not take such inputs.
 */
export async function predict(
  trained: TrainedNetwork,
  inputs: TensorLike,
  options: PredictOptions = {},
): Promise<Tensor> {
  const { backend, batchSize = 256 } = options;
  requireWhole("predict", "batchSize", batchSize);
  const x = asTensor(inputs);
  if (x.rank === 0 || x.shape[0] === 0) throw new ShapeError(`predict: inputs of shape [${x.shape}] hold no samples`);
  const run = predictor(trained.network, trained.stage, batchSize, backend);
  try {
    return await run(trained.params, trained.state, x);
  } finally {
    await run.release();
  }
}
