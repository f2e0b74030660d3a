import { makeBreather } from "@offprint/solvers";
import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { type AttentionSvm, InfeasibleSvmError, svmOf } from "./attention-svm.js";
import { type AttentionExamples, readExamples } from "./examples.js";
import { requireChoices } from "./margin-rows.js";
import { optimalOf, scoresOf } from "./token-scores.js";

/** Options of `locallyOptimal`. */
export interface LocallyOptimalOptions {
  /** Choices that are tried at most: where all would be more, they are refused. Default 20 000. */
  readonly maxChoices?: number;
  /**
   * `"all"` (default) tries every choice; `"neighbours"`, where they are too many, those that differ in one token from the
   * tokens of the highest scores or from a choice that was found, the ones found first: some of them, not all.
   */
  readonly search?: "all" | "neighbours";
  /** Choices to try, instead of all: a token of each example each. */
  readonly candidates?: readonly (readonly number[])[];
  /** Tolerance of support tokens. Default 1e-5. */
  readonly supportTolerance?: number;
}

/** A choice of tokens that gradient descent may stay at. */
export interface LocallyOptimalChoice extends Pick<AttentionSvm, "w" | "objective" | "margin" | "support"> {
  /** alpha. */
  readonly tokens: readonly number[];
  /** Whether these are the tokens of the highest scores. */
  readonly isGlobal: boolean;
}

/**
 * Locally optimal choices of tokens, all of them by default: those that can be separated, and whose support tokens all have lower scores.
 * Training that selects one of them goes in the direction of its `w`.
 *
 * @param v Linear head, `[d]`.
 * @throws ShapeError, ValueError for what does not fit, and where there are too many choices.
 * @example
 * const choices = await locallyOptimal(examples, v); // the margin tells how easily each is found
 */
export async function locallyOptimal(
  examples: AttentionExamples,
  v: TensorLike,
  options: LocallyOptimalOptions = {},
): Promise<LocallyOptimalChoice[]> {
  const owner = "locallyOptimal";
  checkOptions(owner, options, ["maxChoices", "search", "candidates", "supportTolerance"]);
  const { maxChoices = 20_000, search = "all", candidates, supportTolerance = 1e-5 } = options;
  requireInteger(owner, "maxChoices", maxChoices, 1);
  requireChoice(owner, "search", search, ["all", "neighbours"]);
  requireNonNegative(owner, "supportTolerance", supportTolerance);
  if (!Array.isArray(candidates ?? [])) {
    throw new ValueError(`${owner}: candidates must be lists of tokens, one of each example in each`);
  }
  const read = readExamples(owner, examples);
  const scores = scoresOf(owner, read, v);
  const best = optimalOf(scores).tokens;
  for (const choice of candidates ?? []) requireChoices(owner, read, choice);
  const values = scores.data();
  const breather = makeBreather();
  const found: LocallyOptimalChoice[] = [];
  const seen = Array.from({ length: read.count }, (_, i) =>
    Array.from({ length: read.length }, (_, t) => t).filter((t) => values[i * read.length + t] > -Infinity),
  );
  const tried =
    candidates ?? (search === "all" ? allChoices(owner, seen, maxChoices) : neighbours(seen, best, found, maxChoices));
  for (const tokens of tried) {
    if (breather.due()) await breather.pause();
    let svm: AttentionSvm;
    try {
      svm = await svmOf(owner, read, tokens, { supportTolerance });
    } catch (error) {
      if (error instanceof InfeasibleSvmError) continue;
      throw error;
    }
    const at = (i: number, t: number) => values[i * read.length + t];
    if (!svm.support.every((others, i) => others.every((t) => at(i, t) < at(i, tokens[i])))) continue;
    const { w, objective, margin, support } = svm;
    const isGlobal = tokens.every((token, i) => token === best[i]);
    found.push({ tokens, w: w as Tensor, objective, margin, support, isGlobal });
  }
  return found;
}

/** Every choice of tokens that are there. */
function* allChoices(owner: string, seen: readonly (readonly number[])[], most: number) {
  const total = seen.reduce((product, { length: n }) => product * n, 1);
  if (total > most) {
    throw new ValueError(
      `${owner}: there are ${total} choices and maxChoices is ${most}; raise it, take search: "neighbours", or give candidates`,
    );
  }
  for (let number = 0; number < total; number++) {
    let rest = number;
    const choice: number[] = [];
    for (const tokens of seen) {
      choice.push(tokens[rest % tokens.length]);
      rest = Math.floor(rest / tokens.length);
    }
    yield choice;
  }
}

/** The best choice and what differs from it in one token, then what so differs from each choice that is `found` meanwhile. */
function* neighbours(
  seen: readonly (readonly number[])[],
  best: readonly number[],
  found: readonly { readonly tokens: readonly number[] }[],
  most: number,
) {
  const known = new Set<string>();
  const unknown = (choice: readonly number[]) =>
    known.size < most && !known.has(choice.join()) && known.add(choice.join());
  if (unknown(best)) yield [...best];
  for (let k = -1; k < found.length; k++) {
    const middle = k < 0 ? best : found[k].tokens;
    for (let i = 0; i < seen.length; i++) {
      for (const token of seen[i]) {
        const choice = middle.map((other, at) => (at === i ? token : other));
        if (unknown(choice)) yield choice;
      }
    }
  }
}
