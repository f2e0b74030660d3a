import type { Layer } from "@offprint/nn";
import { adam, meanSquaredError, type TrainingState, train } from "@offprint/optim";
import {
  asTensor,
  type Backend,
  random,
  requireInteger,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  take,
} from "@offprint/tensor-core";

/** Options of `fitCodes`. */
export interface FitCodesOptions {
  /** Passes over the images. Default 1000. */
  epochs?: number;
  /** Images of a step. Default 64, or all where there are fewer. */
  batchSize?: number;
  /** Adam's learning rate. Default 1e-4. */
  learningRate?: number;
  /** Adam's beta1. Default 0.5. */
  beta1?: number;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
  /** Element type of parameters. Default float32. */
  dtype?: "float32" | "float64";
  /** Parameters to start from. Default drawn from the seed. */
  params?: any;
  /** Compiles each step to one graph; without it steps run on the host kernels. */
  backend?: Backend;
  /** Called after each step and awaited; `"stop"` ends the run. */
  onProgress?: (progress: { readonly epoch: number; readonly epochs: number; readonly loss: number }) => unknown;
  /** Stops before the next step; the result holds the state to go on from. */
  signal?: AbortSignal;
  /** Called with the state every `every` steps (default: after each epoch) and awaited. */
  checkpoint?: { every?: number; save: (state: TrainingState) => unknown };
  /** State to go on from, of a run with the same data and options. */
  resume?: TrainingState;
}

/** What `fitCodes` gives. */
export interface FitCodesResult {
  /** Parameters of the image encoder. */
  readonly params: any;
  /** The loss of each step before its update. */
  readonly losses: readonly number[];
  /** All epochs made, or stopped. */
  readonly status: "completed" | "stopped" | "aborted";
  /** State to go on from. */
  readonly state: TrainingState;
}

/**
 * Single-view reconstruction: trains an image encoder to give the codes that a trained auto-encoder gave its shapes, by
 * the mean squared error. Decode its codes with that auto-encoder, which stays as it is.
 * @param encoder such as `imageEncoder`
 * @param images `[n, channels, height, width]`
 * @param codes `[n, codeSize]`
 * @throws ShapeError where there are not as many codes as images; ValueError for an option out of range.
 * @see section 3.4 of the paper
 */
export async function fitCodes(
  encoder: Layer,
  images: TensorLike,
  codes: TensorLike,
  options: FitCodesOptions = {},
): Promise<FitCodesResult> {
  const x = asTensor(images);
  const z = asTensor(codes);
  const n = x.shape[0];
  if (z.rank !== 2 || z.shape[0] !== n) {
    throw new ShapeError(`fitCodes: images have shape [${x.shape}] and codes [${z.shape}]; give one code per image`);
  }
  const { epochs = 1000, learningRate = 1e-4, beta1 = 0.5, seed = 0, dtype = "float32", backend, signal } = options;
  const { batchSize = Math.min(64, n), onProgress, checkpoint, resume } = options;
  requireInteger("fitCodes", "batchSize", batchSize, 1);
  requirePositive("fitCodes", "learningRate", learningRate);
  const result = await train<any, { images: Tensor; codes: Tensor }>({
    initial: options.params ?? encoder.init(random.rng(seed).fork("params"), dtype),
    optimizer: adam({ learningRate, beta1 }),
    loss: (params, batch) => meanSquaredError(encoder.apply(params, batch.images), batch.codes),
    *data(_, rng) {
      const order = rng.permutation(n).data() as Int32Array;
      const size = Math.min(batchSize, n);
      // Batches of one size, so that one graph is compiled; the order is another in each epoch.
      for (let start = 0; start + size <= n; start += size) {
        const some = order.slice(start, start + size);
        yield { images: take(x, some), codes: take(z, some) };
      }
    },
    epochs,
    seed,
    ...(backend && { backend }),
    ...(signal && { signal }),
    ...(checkpoint && { checkpoint }),
    ...(resume && { resume }),
    onProgress: ({ epoch, loss }) => onProgress?.({ epoch, epochs, loss }),
  });
  const { params, history, status, state } = result;
  const losses = history.map(({ loss }) => loss);
  return { params, losses, status: status === "stopped" || status === "aborted" ? status : "completed", state };
}
