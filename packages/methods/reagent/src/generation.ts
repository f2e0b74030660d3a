import { type Awaitable, type CausalLM, requirePrompt } from "@offprint/language";
import {
  type Checkpoint,
  type RunOptions,
  type RunState,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import { checkOptions, requireInteger, ShapeError, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { requireFunction, requireModel } from "./argument-checks.js";
import { NextToken } from "./next-token.js";

/**
 * What a method gets that may run long itself, to hand on to `reagent` or another.
 * @typeParam S - what the method goes on from
 */
export interface MethodRun<S = unknown> {
  /** Fires where the generation is to end. */
  readonly signal?: AbortSignal;
  /** Keeps states of the method, within those of the generation. */
  readonly checkpoint?: Checkpoint<S>;
  /** State of the method, where it was interrupted. */
  readonly resume?: S;
}

/** What a method finds: any tree of data with an importance, as `reagent` and the baselines give. */
export interface TokenAttribution {
  /** `[L]` importance of each token before the one that is explained. */
  readonly importance: Float64Array;
  /** Where it is `aborted`, the token is not done, and is gone on with from `state`. */
  readonly status?: string;
  /** What the method goes on from. */
  readonly state?: unknown;
}

/** Explains one token: what `reagent` and the baselines become when their other arguments are filled in. */
export type AttributionMethod<A extends TokenAttribution = TokenAttribution, S = unknown> = (
  ids: Int32Array,
  target: number,
  run: MethodRun<S>,
) => Awaitable<A>;

/** A token that was explained. */
export interface GenerationRecord {
  /** Number of the token, from 1. */
  readonly iteration: number;
  /** Its id. */
  readonly token: number;
}

/** What a generation goes on from. */
export interface GenerationState<A extends TokenAttribution = TokenAttribution, S = unknown> {
  /** The prompt, and the tokens that were explained. */
  readonly ids: Int32Array;
  /** What was found for each of them. */
  readonly explained: readonly A[];
  /** What the method had reached for the next one; null where it had not begun. */
  readonly pending: S | null;
}

/** Options of `attributeGeneration`. */
export interface GenerationOptions<A extends TokenAttribution = TokenAttribution, S = unknown>
  extends RunOptions<GenerationRecord, RunState<GenerationState<A, S>, GenerationRecord>> {
  /** m: most tokens to generate, >= 1. */
  maxNewTokens: number;
  /** Explains each of them: `(ids, target, run) => reagent(lm, ids, { target, replacer, ...run })`. */
  method: AttributionMethod<A, S>;
  /** Generation ends after one of these, such as an end-of-text token. Default none. */
  stopIds?: readonly number[];
  /** Tokens that are explained in place of those that the model would generate. Default none. */
  continuation?: Int32Array;
}

/** A generated continuation and where it came from. */
export interface GenerationAttribution<A extends TokenAttribution = TokenAttribution, S = unknown> {
  /** `[L + m]` the prompt and what was generated. */
  readonly ids: Int32Array;
  /** Number of tokens of the prompt, L. */
  readonly promptLength: number;
  /** float64 `[m, L + m - 1]`: row k is the importance of the L + k tokens before generated token k; zeros beyond. */
  readonly map: Tensor;
  /** What the method found for each generated token. */
  readonly explained: readonly A[];
  /** `converged` after a token of `stopIds`, `limit` after `maxNewTokens` or the given continuation. */
  readonly status: Status;
  /** Tokens that were explained, m. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly GenerationRecord[];
  /** To go on from with `resume`. */
  readonly state: RunState<GenerationState<A, S>, GenerationRecord>;
}

/**
 * Generates greedily, and explains every generated token by the prefix that it came from.
 * @throws whatever the method throws; ValueError, IndexError or ShapeError for arguments that do not fit.
 */
export async function attributeGeneration<A extends TokenAttribution, S = unknown>(
  lm: CausalLM,
  promptIds: Int32Array,
  options: GenerationOptions<A, S>,
): Promise<GenerationAttribution<A, S>> {
  const owner = "attributeGeneration";
  checkArguments(owner, lm, promptIds, options);
  const { maxNewTokens, method, stopIds = [], continuation, signal, checkpoint } = options;
  const tokenAfter = async (ids: Int32Array): Promise<number> =>
    continuation?.[ids.length - promptIds.length] ?? (await NextToken.after(lm, [ids], owner)).best(0);
  const recordsOf = (ids: Int32Array): GenerationRecord[] =>
    Array.from(ids.subarray(promptIds.length), (token, k) => ({ iteration: k + 1, token }));
  const { last, ...run } = await runLoop<GenerationState<A, S>, GenerationRecord>(
    {
      owner,
      limit: Math.min(maxNewTokens, continuation?.length ?? maxNewTokens),
      initial: () => ({ ids: promptIds.slice(), explained: [], pending: null }),
      async step({ ids, explained, pending }) {
        const token = await tokenAfter(ids);
        const save = (inner: S) =>
          checkpoint?.save({
            iterations: explained.length,
            history: recordsOf(ids),
            inner: { ids, explained, pending: inner },
          });
        const found = await method(ids, token, {
          ...(signal && { signal }),
          ...(checkpoint && { checkpoint: { ...checkpoint, save } }),
          ...(pending !== null && { resume: pending }),
        });
        if (found.status !== "aborted") {
          checkFound(owner, found, ids.length);
          return { ids: Int32Array.of(...ids, token), explained: [...explained, found], pending: null };
        }
        if (signal?.aborted) return { ids, explained, pending: (found.state ?? null) as S | null };
        throw new ValueError(`${owner}: method was aborted by a signal of its own; give it that of the generation`);
      },
      record: ({ ids, explained, pending }) =>
        pending === null && explained.length > 0 ? recordsOf(ids).at(-1) : undefined,
      finished: ({ ids, explained }) =>
        explained.length > 0 && stopIds.includes(ids[ids.length - 1]) ? "converged" : undefined,
      count: ({ explained }) => explained.length,
      check: (state) => checkState(owner, state, promptIds),
    },
    options,
  );
  const { ids, explained } = last;
  return { ...run, ids, explained, promptLength: promptIds.length, map: importanceMap(promptIds.length, explained) };
}

function importanceMap(promptLength: number, explained: readonly TokenAttribution[]): Tensor {
  const width = promptLength + Math.max(explained.length - 1, 0);
  const map = new Float64Array(explained.length * width);
  for (const [k, { importance }] of explained.entries()) map.set(importance, k * width);
  return tensor(map, { shape: [explained.length, width] });
}

const optionNames = [
  "maxNewTokens",
  "method",
  "stopIds",
  "continuation",
  ...runOptionNames,
] as const satisfies readonly (keyof GenerationOptions)[];

function checkArguments<A extends TokenAttribution, S>(
  owner: string,
  lm: CausalLM,
  promptIds: Int32Array,
  options: GenerationOptions<A, S>,
): void {
  requireModel(owner, lm);
  requirePrompt(owner, promptIds, lm.vocabSize);
  checkOptions(owner, options, optionNames);
  const { maxNewTokens, method, continuation } = (options ?? {}) as Partial<GenerationOptions<A, S>>;
  requireFunction(owner, "method", method, "give (ids, target, run) => reagent(lm, ids, { target, replacer, ...run })");
  requireInteger(owner, "maxNewTokens", maxNewTokens as number, 1);
  if (continuation !== undefined) requirePrompt(`${owner}: continuation`, continuation, lm.vocabSize);
}

function checkFound(owner: string, found: TokenAttribution, length: number): void {
  if (found?.importance?.length === length) return;
  throw new ShapeError(
    `${owner}: method gave an importance of ${found?.importance?.length} entries for ${length} tokens; give one for each`,
  );
}

function checkState<A extends TokenAttribution, S>(
  owner: string,
  { ids, explained }: GenerationState<A, S>,
  promptIds: Int32Array,
): void {
  const fits = ids instanceof Int32Array && Array.isArray(explained) && promptIds.every((id, i) => ids[i] === id);
  if (fits && ids.length === promptIds.length + explained.length) return;
  throw new ValueError(`${owner}: resume is no state of this prompt's generation; give its own, unchanged`);
}
