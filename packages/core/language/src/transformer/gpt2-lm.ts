import { countParameters } from "@offprint/nn";
import {
  type Backend,
  checkOptions,
  grad,
  jit,
  logSoftmax,
  pad,
  requireInteger,
  requireObject,
  ShapeError,
  slice,
  sum,
  type Tensor,
  take,
  tensor,
} from "@offprint/tensor-core";
import type { AttentionLM, GradientLM, MaskedLM } from "../model.js";
import { requirePrompt, requireTarget } from "../prompt-checks.js";
import { type Gpt2Config, type Gpt2Params, gpt2Embed, gpt2Features, gpt2Logits } from "./gpt2.js";
import { PaddedSize } from "./padded-size.js";

/** Options of `gpt2` and `gpt2Masked`. */
export interface Gpt2Options extends Gpt2Config {
  /** Compiles the forward and backward passes; without it they run on the host kernels. */
  backend?: Backend;
}

/** A GPT-2 with everything that methods can ask for. */
export interface Gpt2 extends GradientLM, AttentionLM {
  /** d. */
  readonly features: number;
  /** Most tokens of a prompt. */
  readonly positions: number;
  /** Scores after every prefix, `[B, L, V]`. */
  allLogits(prompts: readonly Int32Array[]): Promise<Tensor>;
  /** Scores `[B, V]` from embeddings `[B, L, d]`: pure and differentiable, on the host. */
  logitsFromEmbeds(embeds: Tensor): Tensor;
  /** Frees the compiled functions. */
  release(): Promise<void>;
}

/** Below this many scalars the parameters become constants of the compiled functions, which runs faster. */
const CONSTANT_PARAMETERS = 4_000_000;

/** Ids of prompts of equal length, padded: `[rows, length]`. */
function idRows(prompts: readonly Int32Array[], rows: number, length: number): Tensor {
  const out = new Int32Array(rows * length);
  for (const [b, prompt] of prompts.entries()) out.set(prompt, b * length);
  return tensor(out, { shape: [rows, length] });
}

/** Compiles functions of parameters and inputs; small parameters become constants. */
class CompiledFunctions {
  private readonly released: (() => Promise<void>)[] = [];

  constructor(
    private readonly params: Gpt2Params,
    private readonly backend: Backend | undefined,
  ) {}

  add(f: (params: Gpt2Params, ...inputs: Tensor[]) => Tensor): (...inputs: Tensor[]) => Promise<Tensor> {
    const { params, backend } = this;
    const options = backend === undefined ? {} : { backend };
    if (countParameters(params) < CONSTANT_PARAMETERS) {
      const compiled = jit((...inputs: Tensor[]) => f(params, ...inputs), options);
      this.released.push(() => compiled.release());
      return async (...inputs) => (await compiled(...inputs)).host();
    }
    const compiled = jit(f, options);
    this.released.push(() => compiled.release());
    return async (...inputs) => (await compiled(params, ...inputs)).host();
  }

  async release(): Promise<void> {
    for (const release of this.released) await release();
  }
}

/** Checks prompts, and gives the length of the longest. */
function requirePrompts(where: string, prompts: readonly Int32Array[], vocabSize: number, positions: number): number {
  if (prompts.length === 0) throw new ShapeError(`${where}: there are no prompts; give at least one`);
  for (const prompt of prompts) requirePrompt(where, prompt, vocabSize);
  const length = prompts.reduce((most, prompt) => Math.max(most, prompt.length), 0);
  requireInteger(where, "the prompt's length", length, 1, positions);
  return length;
}

/** Place of the last token of each prompt, for `rows` rows. */
function lastPlaces(lengths: readonly number[], rows: number): Tensor {
  return tensor(Int32Array.from({ length: rows }, (_, b) => (lengths[b] ?? 1) - 1));
}

/**
 * A GPT-2 from its parameters: forward and backward passes are compiled, prompts are padded to few shapes. Embedding
 * access, gradients and attention weights included.
 *
 * @throws ValueError for heads that do not divide d, IndexError for ids that the model does not have, ShapeError for
 * prompts of different lengths.
 * @example const lm = gpt2(params, { heads: 12, backend });
 */
export function gpt2(params: Gpt2Params, options: Gpt2Options): Gpt2 {
  requireObject("gpt2", "params", params, "Gpt2Params");
  checkOptions("gpt2", options, ["backend", "heads", "causal", "epsilon"], ["heads"]);
  const { heads, backend } = options;
  const [vocabSize, d] = params.wte.weight.shape;
  const positions = params.wpe.weight.shape[0];
  requireHeads("gpt2", heads, d);
  const config = { ...options, causal: true };
  // Each function is compiled for shapes of its own.
  const sizes = {
    next: new PaddedSize(positions),
    every: new PaddedSize(positions),
    behind: new PaddedSize(positions),
    slope: new PaddedSize(positions),
    weights: new PaddedSize(positions),
  };
  const compiled = new CompiledFunctions(params, backend);

  const fromEmbeds = (p: Gpt2Params, embeds: Tensor, last: Tensor): Tensor =>
    gpt2Logits(p, gpt2Features(p, embeds, config, { last }).features).reshape([embeds.shape[0], vocabSize]);
  const next = compiled.add((p, ids, last) => fromEmbeds(p, gpt2Embed(p, ids), last));
  const every = compiled.add((p, ids) => gpt2Logits(p, gpt2Features(p, gpt2Embed(p, ids), config).features));
  const behind = compiled.add(fromEmbeds);
  const slope = compiled.add(
    (p, embeds, last, target) =>
      grad((x: Tensor) => sum(take(logSoftmax(fromEmbeds(p, x, last)), target, { axis: 1 })))(embeds) as Tensor,
  );
  const weights = compiled.add((p, ids) => gpt2Features(p, gpt2Embed(p, ids), config).attentions());

  const padEmbeds = (where: string, embeds: Tensor, size: PaddedSize): { padded: Tensor; b: number; l: number } => {
    if (embeds.rank !== 3 || embeds.shape[2] !== d || embeds.size === 0) {
      throw new ShapeError(`${where}: embeddings have shape [${embeds.shape}]; they must be [B, L, ${d}]`);
    }
    const [b, l] = embeds.shape;
    requireInteger(where, "the prompt's length", l, 1, positions);
    const { rows, length } = size.fit(b, l);
    return {
      padded: pad(embeds, [
        [0, rows - b],
        [0, length - l],
        [0, 0],
      ]),
      b,
      l,
    };
  };
  return {
    vocabSize,
    mixedLengths: true,
    features: d,
    positions,
    async nextLogits(prompts) {
      const l = requirePrompts("nextLogits", prompts, vocabSize, positions);
      const { rows, length } = sizes.next.fit(prompts.length, l);
      const last = lastPlaces(
        prompts.map((prompt) => prompt.length),
        rows,
      );
      return firstRows(await next(idRows(prompts, rows, length), last), prompts.length);
    },
    async allLogits(prompts) {
      const l = requirePrompts("allLogits", prompts, vocabSize, positions);
      const { rows, length } = sizes.every.fit(prompts.length, l);
      const logits = await every(idRows(prompts, rows, length));
      return slice(logits, [{ stop: prompts.length }, { stop: l }]);
    },
    embed(ids) {
      requirePrompt("embed", ids, vocabSize);
      return gpt2Embed(params, tensor(ids));
    },
    async nextLogitsFromEmbeds(embeds) {
      const { padded, b, l } = padEmbeds("nextLogitsFromEmbeds", embeds, sizes.behind);
      return firstRows(await behind(padded, lastPlaces(new Array(b).fill(l), padded.shape[0])), b);
    },
    async logProbabilityGradient(embeds, target) {
      requireTarget("logProbabilityGradient", target, vocabSize);
      const { padded, b, l } = padEmbeds("logProbabilityGradient", embeds, sizes.slope);
      const last = lastPlaces(new Array(b).fill(l), padded.shape[0]);
      return slice(await slope(padded, last, tensor(Int32Array.of(target))), [{ stop: b }, { stop: l }]);
    },
    async attentions(ids) {
      const l = requirePrompts("attentions", [ids], vocabSize, positions);
      const { rows, length } = sizes.weights.fit(1, l);
      const all = await weights(idRows([ids], rows, length));
      return slice(all, [null, 0, null, { stop: l }, { stop: l }]);
    },
    logitsFromEmbeds: (embeds) =>
      fromEmbeds(params, embeds, lastPlaces(new Array(embeds.shape[0]).fill(embeds.shape[1]), embeds.shape[0])),
    release: () => compiled.release(),
  };
}

function firstRows(x: Tensor, count: number): Tensor {
  return x.shape[0] === count ? x : slice(x, [{ stop: count }]);
}

function requireHeads(where: string, heads: number, features: number): void {
  requireInteger(where, "heads", heads, 1);
  if (features % heads !== 0) {
    throw new ShapeError(`${where}: heads is ${heads}, which does not divide the ${features} features`);
  }
}

/** Options of `gpt2Masked`. */
export interface Gpt2MaskedOptions extends Gpt2Options {
  /** Id of the token that hides. */
  maskId: number;
  /** Ids that are never filled in. */
  specialIds?: readonly number[];
}

/** A masked model of the same architecture, in which every token sees all others. */
export function gpt2Masked(params: Gpt2Params, options: Gpt2MaskedOptions): MaskedLM & { release(): Promise<void> } {
  requireObject("gpt2Masked", "params", params, "Gpt2Params");
  checkOptions(
    "gpt2Masked",
    options,
    ["maskId", "specialIds", "backend", "heads", "causal", "epsilon"],
    ["maskId", "heads"],
  );
  const { heads, backend, maskId, specialIds = [] } = options;
  const [vocabSize, d] = params.wte.weight.shape;
  const positions = params.wpe.weight.shape[0];
  requireHeads("gpt2Masked", heads, d);
  const size = new PaddedSize(positions);
  const compiled = new CompiledFunctions(params, backend);
  const config = { ...options, causal: false };
  const every = compiled.add((p, ids, keyBias) =>
    gpt2Logits(p, gpt2Features(p, gpt2Embed(p, ids), config, { keyBias }).features),
  );
  return {
    vocabSize,
    mixedLengths: true,
    maskId,
    specialIds,
    async logits(prompts) {
      const l = requirePrompts("logits", prompts, vocabSize, positions);
      const { rows, length } = size.fit(prompts.length, l);
      const keyBias = new Float32Array(rows * length);
      for (const [b, { length: own }] of prompts.entries()) keyBias.fill(-1e9, b * length + own, (b + 1) * length);
      const logits = await every(idRows(prompts, rows, length), tensor(keyBias, { shape: [rows, 1, 1, length] }));
      return slice(logits, [{ stop: prompts.length }, { stop: l }]);
    },
    release: () => compiled.release(),
  };
}
