import type { ClaimContext } from "@offprint/claims";
import { initializers, linear } from "@offprint/nn";
import { adamw, chain, clipByGlobalNorm, cosineSchedule, meanSquaredError, train } from "@offprint/optim";
import { add, argMax, jit, type Rng, random, stack, type Tensor, take, tensor } from "@offprint/tensor-core";
import { attentionLayer, attentions, type HeadAttention, softHeads, transformerBlock } from "../src/index.js";
import { cosineField } from "./smooth-features.js";

const SIDE = 16;
const FEATURES = 8;
const LABELS = 4;
const DIM = 32;
const HEADS = 2;

/** Noisy tokens and what they were before the noise. */
export interface Images {
  /** `[images, 256, 8]` */
  noisy: Tensor;
  /** `[images, 256, 8]` */
  clean: Tensor;
}

/** One image: each token is the prototype of its label; labels form smooth regions, so that far tokens share them. */
function image(rng: Rng): { noisy: Tensor; clean: Tensor } {
  const prototypes = rng.normal([LABELS, FEATURES]);
  const fields = Array.from({ length: LABELS }, () => tensor(cosineField(rng, SIDE, 3, 1)));
  const clean = take(prototypes, argMax(stack(fields), { axis: 0 }));
  return { noisy: add(clean, rng.normal([SIDE * SIDE, FEATURES])), clean };
}

/** Some images. */
export function denoisingImages(rng: Rng, count: number): Images {
  const all = Array.from({ length: count }, () => image(rng));
  return { noisy: stack(all.map((each) => each.noisy)), clean: stack(all.map((each) => each.clean)) };
}

/** The network: tokens plus a correction by two blocks. Without an attention, blocks see one token at a time. */
export function denoiser(attention: HeadAttention | null) {
  const weightInit = initializers.uniformFanIn;
  const first = linear({ inputs: FEATURES, outputs: DIM });
  const last = linear({ inputs: DIM, outputs: FEATURES });
  const nothing = { init: () => null, apply: (_: null, x: Tensor) => x.mul(0) };
  const layer = attention === null ? nothing : attentionLayer({ dim: DIM, heads: HEADS, attention, weightInit });
  const block = transformerBlock({ dim: DIM, attention: layer, weightInit });
  return {
    init: (rng: Rng) => ({ first: first.init(rng), blocks: [block.init(rng), block.init(rng)], last: last.init(rng) }),
    apply(params: any, x: Tensor): Tensor {
      const hidden = params.blocks.reduce(
        (h: Tensor, p: any) => block.apply(p, h, [SIDE, SIDE]),
        first.apply(params.first, x),
      );
      return add(x, last.apply(params.last, hidden));
    },
  };
}

const heads = { features: DIM / HEADS, ratio: 4 };

/** What the networks attend with; null for no attention. */
export const denoisingAttentions = {
  "no attention": null,
  softmax: attentions.softmax(),
  SOFT: softHeads(heads),
  "SOFT++": softHeads({ ...heads, normalization: "symmetric" }),
} as const;

/** Attentions of the four networks. */
export type DenoisingAttentions = Readonly<Record<keyof typeof denoisingAttentions, HeadAttention | null>>;

/** How much a network is trained. */
export interface TrainingSize {
  /** Updates. */
  readonly steps: number;
  /** Fresh images of an update. */
  readonly batch: number;
}

/** The training of the claim. */
export const TRAINING: TrainingSize = { steps: 200, batch: 16 };

const lossOf = (attention: HeadAttention | null) => {
  const network = denoiser(attention);
  return (params: any, { noisy, clean }: Images) => meanSquaredError(network.apply(params, noisy), clean);
};

/** Trains the networks of one run, all of them on the same fresh images. */
export async function trainDenoisers(
  context: Pick<ClaimContext, "backend" | "signal">,
  attentions: DenoisingAttentions,
  seed: number,
  run: number,
  { steps, batch }: TrainingSize = TRAINING,
  onFraction: (fraction: number, name: string) => unknown = () => undefined,
): Promise<Record<keyof DenoisingAttentions, any>> {
  const rng = random.rng(`${seed}/images/${run}`);
  const batches = Array.from({ length: steps }, () => denoisingImages(rng, batch));
  const trained: Record<string, any> = {};
  const entries = Object.entries(attentions);
  for (const [i, [name, attention]] of entries.entries()) {
    const { params } = await train({
      loss: lossOf(attention),
      initial: denoiser(attention).init(random.rng(`${seed}/denoiser/${run}`)),
      optimizer: chain(clipByGlobalNorm(1), adamw({ learningRate: cosineSchedule({ initial: 3e-3, steps }) })),
      data: () => batches,
      epochs: 1,
      signal: context.signal,
      onProgress: ({ step }) => onFraction((i + step / steps) / entries.length, name),
      ...(context.backend && { backend: context.backend }),
    });
    trained[name] = params;
  }
  return trained as Record<keyof DenoisingAttentions, any>;
}

/** Mean squared error of a network on images. */
export async function denoisingError(
  { backend }: Pick<ClaimContext, "backend">,
  attention: HeadAttention | null,
  params: any,
  test: Images,
): Promise<number> {
  const judged = jit(lossOf(attention), backend ? { backend } : {});
  const error = (await judged(params, test)) as Tensor;
  await judged.release();
  return (await error.host()).item();
}
