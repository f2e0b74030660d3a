import type { ClaimContext } from "@offprint/claims";
import { trainTestSplit } from "@offprint/data";
import { digits } from "@offprint/datasets";
import { type BatchNormState, initializers, type LinearParams, linear } from "@offprint/nn";
import { adamw, chain, clipByGlobalNorm, cosineSchedule, crossEntropy, train } from "@offprint/optim";
import {
  add,
  argMax,
  div,
  jit,
  mean,
  type Rng,
  random,
  reshape,
  slice,
  type Tensor,
  take,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import { type ConvNormParams, convStage } from "../src/conv-stage.js";
import {
  attentionLayer,
  attentions,
  type BlockParams,
  fullGaussianHeads,
  type GridLayer,
  type HeadAttention,
  softHeads,
  transformerBlock,
} from "../src/index.js";

const SIDE = 8;
const TOKENS = SIDE * SIDE;
const DIM = 32;
const HEADS = 2;
const TRAIN = 1200;
const TEST = 597;
const BATCH = 64;
export const EPOCHS = 12;

const heads = { features: DIM / HEADS, ratio: 2 };

/** The attentions that the digits are read with. */
export const digitAttentions = {
  softmax: attentions.softmax(),
  SOFT: softHeads(heads),
  "SOFT++": softHeads({ ...heads, normalization: "symmetric" }),
  "full kernel": fullGaussianHeads(),
  Linformer: attentions.linformer({ tokens: TOKENS, projected: 16 }),
  Performer: attentions.performer({ features: DIM / HEADS, randomFeatures: 16 }),
} as const;

/** Name of one of them. */
export type DigitAttention = keyof typeof digitAttentions;

/** Parameters of {@link digitNetwork}. */
export interface DigitParams {
  /** The two convolutions. */
  readonly stem: readonly ConvNormParams[];
  /** `[64, 32]`, added to the tokens. */
  readonly positions: Tensor;
  /** One after the other. */
  readonly blocks: readonly BlockParams[];
  /** `[32, 10]` */
  readonly head: LinearParams;
}

/** A trained network. */
export interface DigitModel {
  /** What is learned. */
  readonly params: DigitParams;
  /** Running statistics of the stem. */
  readonly state: readonly BatchNormState[];
}

/** 8 x 8 images as 64 tokens: two convolutions, two blocks, the mean of the tokens, ten classes. */
export function digitNetwork(attention: HeadAttention) {
  const weightInit = initializers.uniformFanIn;
  const stem = convStage([1, 16, DIM], [1, 1]);
  const layer: GridLayer = attentionLayer({ dim: DIM, heads: HEADS, attention, localConv: 3, weightInit });
  const block = transformerBlock({ dim: DIM, attention: layer, weightInit });
  const head = linear({ inputs: DIM, outputs: 10 });
  const logits = (params: DigitParams, image: Tensor) => {
    const tokens = transpose(reshape(image, [image.shape[0], DIM, TOKENS]), [0, 2, 1]);
    const y = params.blocks.reduce((x, p) => block.apply(p, x, [SIDE, SIDE]), add(tokens, params.positions));
    return head.apply(params.head, mean(y, { axis: 1 }));
  };
  return {
    init: (rng: Rng): DigitModel => ({
      params: {
        stem: stem.init(rng),
        positions: rng.normal([TOKENS, DIM], { std: 0.3 }),
        blocks: [block.init(rng), block.init(rng)],
        head: head.init(rng),
      },
      state: stem.initState(),
    }),
    train(params: DigitParams, state: readonly BatchNormState[], images: Tensor): [Tensor, readonly BatchNormState[]] {
      const [y, next] = stem.train(params.stem, state, images);
      return [logits(params, y), next];
    },
    apply: ({ params, state }: DigitModel, images: Tensor) => logits(params, stem.apply(params.stem, state, images)),
  };
}

function digitImages(seed: number) {
  const set = digits();
  const inputs = reshape(div(set.inputs, 16), [TRAIN + TEST, 1, SIDE, SIDE]);
  return trainTestSplit({ inputs, targets: set.targets }, { test: TEST, rng: random.rng(`${seed}/digits`) });
}

/** Fraction of the test images of the split of a seed that networks with an attention read right; compiled once. */
export function digitJudge({ backend }: Pick<ClaimContext, "backend">, attention: HeadAttention) {
  const network = digitNetwork(attention);
  const classes = jit(
    (model: DigitModel, images: Tensor) => argMax(network.apply(model, images), { axis: 1 }),
    backend ? { backend } : {},
  );
  return {
    async accuracy(model: DigitModel, seed: number): Promise<number> {
      const { test } = digitImages(seed);
      const labels = test.targets.data();
      const read = new Int32Array(TEST);
      for (let from = 0; from < TEST; from += BATCH) {
        // The last part begins earlier, so that all are of one shape.
        const start = Math.min(from, TEST - BATCH);
        const part = slice(test.inputs, [{ start, stop: start + BATCH }, null, null, null]);
        read.set((await (await classes(model, part)).host()).data(), start);
      }
      return read.filter((label, i) => label === labels[i]).length / TEST;
    },
    release: () => classes.release(),
  };
}

/** Trains one network. */
export async function trainDigits(
  context: Pick<ClaimContext, "backend" | "signal">,
  attention: HeadAttention,
  seed: number,
  onFraction: (fraction: number) => unknown = () => undefined,
): Promise<DigitModel> {
  const network = digitNetwork(attention);
  const { train: learn } = digitImages(seed);
  const start = network.init(random.rng(`${seed}/network`));
  const steps = EPOCHS * Math.ceil(TRAIN / BATCH);
  type Batch = { readonly images: Tensor; readonly labels: Tensor };
  const { params, modelState } = await train<DigitParams, Batch, readonly BatchNormState[]>({
    loss(p, batch, { modelState: state }) {
      const [logits, next] = network.train(p, state, batch.images);
      return [crossEntropy(logits, batch.labels), next] as const;
    },
    initial: start.params,
    modelState: start.state,
    optimizer: chain(clipByGlobalNorm(1), adamw({ learningRate: cosineSchedule({ initial: 3e-3, steps }) })),
    *data(_, rng) {
      const order = rng.permutation(TRAIN).data();
      for (let from = 0; from < TRAIN; from += BATCH) {
        const at = tensor(order.slice(from, from + BATCH));
        yield { images: take(learn.inputs, at), labels: take(learn.targets, at) };
      }
    },
    epochs: EPOCHS,
    seed,
    signal: context.signal,
    onProgress: ({ step }) => onFraction(step / steps),
    ...(context.backend && { backend: context.backend }),
  });
  return { params, state: modelState };
}
