import { readAsset } from "@offprint/data";
import { type Gpt2Params, initGpt2, readGpt2 } from "@offprint/language";
import { checkOptions, random, requireInteger } from "@offprint/tensor-core";
import { assetAddress } from "#assets";
import type { Pooling } from "../pooling.js";
import type { RelaxedModel } from "../relaxed-model.js";
import { gpt2Sequences } from "../sequence-models.js";

/** Models that ship. */
const MODELS = 4;
const HEADS = 2;

/** One function of features for all, so that what is compiled for one serves the others. */
const models = new Map<Pooling, RelaxedModel<Gpt2Params>>();

/** Options of {@link loadExampleModel}. */
export interface ExampleModelOptions {
  /** Which landscape it knows, 0 to 3. Default 0. */
  readonly landscape?: number;
  /** How features of places become those of a sequence. Default `mean`. */
  readonly pool?: Pooling;
  /** Whether it is a model of the same size that has read nothing, drawn at random. Default false. */
  readonly untrained?: boolean;
}

/**
 * A tiny masked language model that comes with the package: two blocks of 32 features, trained by `claims/make-models.mjs` on 20,000
 * sequences of {@link dnaLandscape}.
 */
export async function loadExampleModel(options: ExampleModelOptions = {}): Promise<RelaxedModel<Gpt2Params>> {
  checkOptions("loadExampleModel", options, ["landscape", "pool", "untrained"]);
  const { landscape = 0, pool = "mean", untrained = false } = options;
  requireInteger("loadExampleModel", "landscape", landscape, 0, MODELS - 1);
  const params = untrained
    ? initGpt2(random.rng(`untrained/${landscape}`), { vocabSize: 5, features: 32, layers: 2, inner: 64, positions: 8 })
    : readGpt2(await readAsset(assetAddress(`landscape-${landscape}.safetensors`)));
  const model = models.get(pool) ?? gpt2Sequences(params, { heads: HEADS, pool });
  models.set(pool, model);
  return { ...model, parameters: params };
}
