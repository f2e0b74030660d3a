import { ValueError } from "@offprint/tensor-core";
import type { Replacer } from "../replacer.js";
import { allowedIds, drawFrom } from "./uniform.js";

/**
 * Replaces by a token of the same part of speech, all equally likely; what the authors' published configurations run.
 * @param tagOf tag of a token id, any number or text; asked once for every id. `coarseWordClass` is one for English.
 * @param options.vocabSize number of ids
 * @param options.forbid ids that are never drawn; a token all of whose class is forbidden stays
 */
export function posTag(
  tagOf: (id: number) => number | string,
  options: { vocabSize: number; forbid?: readonly number[] },
): Replacer {
  if (typeof tagOf !== "function") throw new ValueError("replacers.posTag: tagOf must be a function of a token id");
  const byTag = new Map<number | string, number[]>();
  for (const id of allowedIds("replacers.posTag", options.vocabSize, options.forbid)) {
    const tag = tagOf(id);
    const members = byTag.get(tag);
    if (members === undefined) byTag.set(tag, [id]);
    else members.push(id);
  }
  const classes = new Map(Array.from(byTag, ([tag, ids]) => [tag, Int32Array.from(ids)]));
  return (prompts, masks, rngs) =>
    prompts.map((prompt, row) =>
      prompt.map((id, i) => {
        const members = masks[row][i] ? classes.get(tagOf(id)) : undefined;
        return members === undefined ? id : drawFrom(members, rngs[row]);
      }),
    );
}
