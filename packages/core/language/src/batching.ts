import { asTensor, checkOptions, requireInteger, requireObject, type Tensor, tensor } from "@offprint/tensor-core";
import type { CausalLM, MaskedLM } from "./model.js";

/** Options of `batchedCausal` and `batchedMasked`. */
export interface BatchingOptions {
  /** Most prompts of one forward pass, >= 1; bounds the memory. Default 32. */
  rows?: number;
}

/** Runs prompts through a model and gives a result with one row for each. */
type Forward = (prompts: readonly Int32Array[]) => Promise<Tensor>;

interface Request {
  readonly prompts: readonly Int32Array[];
  readonly answer: (rows: Tensor) => void;
  readonly fail: (error: unknown) => void;
}

/** A prompt of a request, and the scores after it once they are there. */
interface Row {
  readonly prompt: Int32Array;
  scores?: Tensor;
}

/** Passes for some rows: the longest prompts first, so that each holds prompts of about one length. */
function passes(rows: readonly Row[], mixed: boolean, most: number): Row[][] {
  const sorted = [...rows].sort((a, b) => b.prompt.length - a.prompt.length);
  const out: Row[][] = [];
  for (const row of sorted) {
    const last = out.at(-1);
    const fits = last !== undefined && last.length < most && (mixed || last[0].prompt.length === row.prompt.length);
    if (fits) last.push(row);
    else out.push([row]);
  }
  return out;
}

/** Scores of the rows of a request as one tensor; what differs in length is as long as the longest. */
function joined(rows: readonly Row[]): Tensor {
  const scores = rows.map((row) => row.scores as Tensor);
  const longest = scores.reduce((a, b) => (b.size > a.size ? b : a));
  const out = new (longest.data().constructor as Float32ArrayConstructor)(rows.length * longest.size);
  for (const [k, each] of scores.entries()) out.set(each.data() as Float32Array, k * longest.size);
  return tensor(out, { shape: [rows.length, ...longest.shape] });
}

/** Collects the requests of one turn of the event loop into few forward passes. */
function collecting(forward: Forward, mixed: boolean, most: number): Forward {
  let waiting: Request[] = [];
  const serve = async (requests: readonly Request[]): Promise<void> => {
    const rowsOf = requests.map(({ prompts }) => prompts.map((prompt): Row => ({ prompt })));
    try {
      for (const pass of passes(rowsOf.flat(), mixed, most)) {
        const result = await forward(pass.map(({ prompt }) => prompt));
        const data = result.data();
        const [, ...shape] = result.shape;
        const size = result.size / pass.length;
        for (const [k, row] of pass.entries()) {
          // After every token: those of longer prompts in the same pass are not this one's.
          const own = shape.length === 2 ? [row.prompt.length, shape[1]] : shape;
          const end = k * size + own.reduce((a, b) => a * b, 1);
          row.scores = tensor(data.subarray(k * size, end), { shape: own });
        }
      }
      for (const [k, { answer }] of requests.entries()) answer(joined(rowsOf[k]));
    } catch (error) {
      for (const { fail } of requests) fail(error);
    }
  };
  return (prompts) =>
    new Promise((answer, fail) => {
      waiting.push({ prompts, answer, fail });
      if (waiting.length > 1) return;
      setTimeout(() => {
        const requests = waiting;
        waiting = [];
        void serve(requests);
      });
    });
}

function mostRows(owner: string, options: BatchingOptions): number {
  checkOptions(owner, options, ["rows"]);
  const { rows = 32 } = options;
  requireInteger(owner, "rows", rows, 1);
  return rows;
}

/**
 * The same causal model, which answers requests that come at the same time in few forward passes: attribute many prompts
 * at once with `Promise.all`. Prompts of different lengths share a pass where the model takes them.
 * @example const lm = batchedCausal(model); await Promise.all(prompts.map((ids) => reagent(lm, ids, options)));
 */
export function batchedCausal(lm: CausalLM, options: BatchingOptions = {}): CausalLM {
  requireObject("batchedCausal", "lm", lm, "a CausalLM");
  const most = mostRows("batchedCausal", options);
  const mixedLengths = lm.mixedLengths ?? false;
  const nextLogits = collecting(async (prompts) => asTensor(await lm.nextLogits(prompts)), mixedLengths, most);
  return { vocabSize: lm.vocabSize, mixedLengths, nextLogits, ...(lm.allLogits && { allLogits: lm.allLogits }) };
}

/** The same masked model, which answers requests that come at the same time in few forward passes. */
export function batchedMasked(model: MaskedLM, options: BatchingOptions = {}): MaskedLM {
  requireObject("batchedMasked", "model", model, "a MaskedLM");
  const most = mostRows("batchedMasked", options);
  const mixedLengths = model.mixedLengths ?? false;
  const logits = collecting(async (prompts) => asTensor(await model.logits(prompts)), mixedLengths, most);
  return { ...model, logits };
}
