import { requireFunction } from "../argument-checks.js";
import type { Replacer } from "../replacer.js";
import { type DrawOptions, drawFrom, drawnIds } from "./uniform.js";

/**
 * Replaces by a token of the same part of speech, all equally likely; what the authors' published configurations run.
 * @param tagOf tag of a token id, any number or text; asked once for every id. `coarseWordClass` is one for English.
 * @param options a token all of whose class is forbidden stays
 */
export function posTag(tagOf: (id: number) => number | string, options: DrawOptions): Replacer {
  requireFunction("replacers.posTag", "tagOf", tagOf, "give a function of a token id, such as coarseWordClass");
  const byTag = new Map<number | string, number[]>();
  for (const id of drawnIds("replacers.posTag", options)) {
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
