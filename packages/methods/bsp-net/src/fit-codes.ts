import type { FloatType, Layer } from "@offprint/nn";
import { adam, meanSquaredError, type TrainingRecord, type TrainingState, train } from "@offprint/optim";
import { checkRunOptions, type RunOptions, runOptionNames, runOptionsOf, type Status } from "@offprint/solvers";
import {
  asTensor,
  type Backend,
  checkOptions,
  random,
  requireInteger,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  take,
} from "@offprint/tensor-core";

/** Options of `fitCodes`. */
export interface FitCodesOptions<P> extends RunOptions<TrainingRecord, TrainingState<P>> {
  /** Passes over the images, those of the resumed run included. Default 1000. */
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
  dtype?: FloatType;
  /** Parameters to start from. Default drawn from the seed. */
  initial?: P;
  /** Compiles each step to one graph. Default: the compiler of tensor-core. */
  backend?: Backend;
}

/** What `fitCodes` gives. */
export interface FitCodesResult<P> {
  /** Parameters of the image encoder. */
  readonly params: P;
  /** Epochs finished. */
  readonly epochs: number;
  /** Updates made. */
  readonly steps: number;
  /** The record of each step. */
  readonly history: readonly TrainingRecord[];
  /** How it ended; `limit` where all epochs were made. */
  readonly status: Status;
  /** What `resume` goes on from. */
  readonly state: TrainingState<P>;
}

const names = [
  "epochs",
  "batchSize",
  "learningRate",
  "beta1",
  "seed",
  "dtype",
  "initial",
  "backend",
  ...runOptionNames,
];

/**
 * Single-view reconstruction: trains an image encoder to give the codes that a trained auto-encoder gave its shapes, by
 * the mean squared error. Decode its codes with that auto-encoder, which stays as it is.
 * @param encoder such as `imageEncoder`
 * @param images `[n, channels, height, width]`
 * @param codes `[n, codeSize]`
 * @throws ShapeError where there are not as many codes as images; ValueError for an option unknown or out of range.
 * @see section 3.4 of the paper
 */
export async function fitCodes<P>(
  encoder: Layer<P>,
  images: TensorLike,
  codes: TensorLike,
  options: FitCodesOptions<P> = {},
): Promise<FitCodesResult<P>> {
  checkOptions("fitCodes", options, names);
  const x = asTensor(images);
  const z = asTensor(codes);
  const n = x.shape[0];
  if (z.rank !== 2 || z.shape[0] !== n) {
    throw new ShapeError(`fitCodes: images have shape [${x.shape}] and codes [${z.shape}]; give one code per image`);
  }
  const { epochs = 1000, learningRate = 1e-4, beta1 = 0.5, seed = 0, dtype = "float32", backend } = options;
  const { batchSize = Math.min(64, n), initial = encoder.init(random.rng(seed).fork("params"), dtype) } = options;
  requireInteger("fitCodes", "epochs", epochs, 0);
  requireInteger("fitCodes", "batchSize", batchSize, 1);
  requirePositive("fitCodes", "learningRate", learningRate);
  checkRunOptions("fitCodes", options);
  const {
    params,
    steps,
    history,
    status,
    state,
    epochs: done,
  } = await train<P, { images: Tensor; codes: Tensor }>({
    owner: "fitCodes",
    initial,
    optimizer: adam({ learningRate, beta1 }),
    loss: (present, batch) => meanSquaredError(encoder.apply(present, batch.images), batch.codes),
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
    ...runOptionsOf(options),
  });
  return { params, epochs: done, steps, history, status, state };
}
