import type { Awaitable } from "@offprint/language";
import { type Rng, ShapeError, ValueError } from "@offprint/tensor-core";

/** What replacements are asked for. */
export interface ReplacementContext {
  /** Number of the step, from 1; 0 outside of ReAGent's loop. */
  readonly step: number;
  /** To see what the replaced tokens did, or to test whether the kept ones suffice. */
  readonly purpose: "update" | "stop" | "single";
  /** The run that each row belongs to. */
  readonly runs: readonly number[];
}

/**
 * Draws replacements of tokens: for each of the prompts, a prompt of the same length. Its tokens are used where `masks`
 * is true; elsewhere the original stays whatever is returned. Every row has a generator of its own, so that what
 * happens to one run does not depend on the others.
 */
export type Replacer = (
  prompts: readonly Int32Array[],
  masks: readonly (readonly boolean[])[],
  rngs: readonly Rng[],
  at: ReplacementContext,
) => Awaitable<readonly Int32Array[]>;

/** Prompts with their masked tokens replaced, after checking what a replacer returned. */
export async function replaced(
  replacer: Replacer,
  prompts: readonly Int32Array[],
  masks: readonly (readonly boolean[])[],
  rngs: readonly Rng[],
  at: ReplacementContext,
  vocabSize: number,
): Promise<Int32Array[]> {
  const drawn = await replacer(prompts, masks, rngs, at);
  const where = `reagent: replacer, step ${at.step}`;
  if (drawn.length !== prompts.length) {
    throw new ShapeError(`${where}: it gave ${drawn.length} prompts for ${prompts.length}; it must give one each`);
  }
  return prompts.map((prompt, row) => {
    if (drawn[row].length !== prompt.length) {
      throw new ShapeError(
        `${where}: prompt ${row} came back with ${drawn[row].length} tokens, not ${prompt.length}; lengths must not change`,
      );
    }
    return prompt.map((id, i) => {
      if (!masks[row][i]) return id;
      const next = drawn[row][i];
      if (Number.isInteger(next) && next >= 0 && next < vocabSize) return next;
      throw new ValueError(`${where}: token ${i} of prompt ${row} became ${next}; the model has 0 to ${vocabSize - 1}`);
    });
  });
}
