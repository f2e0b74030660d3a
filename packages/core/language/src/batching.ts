import { asTensor, slice, type Tensor } from "@offprint/tensor-core";
import type { CausalLM, MaskedLM } from "./model.js";

/** Runs prompts through a model and gives a result with one row for each. */
type Forward = (prompts: readonly Int32Array[]) => Promise<Tensor>;

interface Request {
  readonly prompts: readonly Int32Array[];
  readonly answer: (rows: Tensor) => void;
  readonly fail: (error: unknown) => void;
}

function longest(prompts: readonly Int32Array[]): number {
  return prompts.reduce((most, { length }) => Math.max(most, length), 0);
}

/** Requests that may share a forward pass. */
function groups(requests: readonly Request[], mixed: boolean): Request[][] {
  if (mixed) return [[...requests]];
  const byLength = new Map<number, Request[]>();
  for (const request of requests) {
    const length = longest(request.prompts);
    byLength.set(length, [...(byLength.get(length) ?? []), request]);
  }
  return [...byLength.values()];
}

async function serve(group: readonly Request[], forward: Forward, cut: boolean): Promise<void> {
  try {
    const result = await forward(group.flatMap(({ prompts }) => prompts));
    let start = 0;
    for (const { prompts, answer } of group) {
      const rows = { start, stop: start + prompts.length };
      answer(slice(result, cut ? [rows, { stop: longest(prompts) }] : [rows]));
      start = rows.stop;
    }
  } catch (error) {
    for (const { fail } of group) fail(error);
  }
}

/** Collects the requests of one turn of the event loop into one forward pass. */
function collecting(forward: Forward, mixed: boolean, cut: boolean): Forward {
  let waiting: Request[] = [];
  return (prompts) =>
    new Promise((answer, fail) => {
      waiting.push({ prompts, answer, fail });
      if (waiting.length > 1) return;
      setTimeout(() => {
        const requests = waiting;
        waiting = [];
        for (const group of groups(requests, mixed)) serve(group, forward, cut);
      });
    });
}

/**
 * The same causal model, which answers requests that come at the same time in one forward pass: attribute many prompts
 * at once with `Promise.all`. Prompts of different lengths share a pass where the model takes them.
 * @example const lm = batchedCausal(model); await Promise.all(prompts.map((ids) => reagent(lm, ids, options)));
 */
export function batchedCausal(lm: CausalLM): CausalLM {
  const mixedLengths = lm.mixedLengths ?? false;
  const nextLogits = collecting(async (prompts) => asTensor(await lm.nextLogits(prompts)), mixedLengths, false);
  return { vocabSize: lm.vocabSize, mixedLengths, nextLogits, ...(lm.allLogits && { allLogits: lm.allLogits }) };
}

/** The same masked model, which answers requests that come at the same time in one forward pass. */
export function batchedMasked(model: MaskedLM): MaskedLM {
  const mixedLengths = model.mixedLengths ?? false;
  const logits = collecting(async (prompts) => asTensor(await model.logits(prompts)), mixedLengths, true);
  return { ...model, logits };
}
