import {
  add,
  checkOptions,
  grad,
  jitSync,
  log,
  logSoftmax,
  mean,
  mul,
  oneHot,
  requirePositive,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  zerosLike,
} from "@offprint/tensor-core";
import { adamDirection, type Moments } from "../adaptive-rules.js";
import { requireFit, type TableFit } from "../fit-table.js";
import { drawLetters, type SearchOptions, type SearchResult, searchLetters, searchNames } from "./letter-search.js";

/** A policy that draws letters independently. */
export interface ReinforcePolicy {
  /** `[L, V]` */
  readonly logits: Tensor;
  /** Adam's. */
  readonly moments: Moments;
}

/** Options of {@link reinforceSequences}. */
export interface ReinforceOptions extends SearchOptions<ReinforcePolicy> {
  /** Of Adam, > 0. Default 0.1. */
  readonly learningRate?: number;
}

/** REINFORCE on the proxy (Williams 1992): a policy of independent letters follows standardised predictions. */
export function reinforceSequences(
  fit: TableFit,
  options: ReinforceOptions = {},
): Promise<SearchResult<ReinforcePolicy>> {
  requireFit("reinforceSequences", fit);
  const owner = "reinforceSequences";
  checkOptions(owner, options, ["learningRate", ...searchNames]);
  const { learningRate = 0.1 } = options;
  requirePositive(owner, "learningRate", learningRate);
  const width = fit.model.alphabet.length;
  const step = jitSync(({ logits, moments }: ReinforcePolicy, letters: Tensor, rewards: Tensor, t: Tensor) => {
    const centred = sub(rewards, mean(rewards));
    const advantages = centred.div(add(mean(square(centred)).sqrt(), 1e-8));
    const rows = oneHot(letters, width, { dtype: "float64" });
    const surrogate = (x: Tensor) => mean(mul(advantages, sum(mul(rows, logSoftmax(x, -1)), [1, 2])));
    const { direction, moments: next } = adamDirection(grad(surrogate)(logits), moments, t);
    return { logits: add(logits, mul(learningRate, direction)), moments: next };
  });
  return searchLetters<ReinforcePolicy>(
    fit,
    {
      owner,
      names: ["learningRate"],
      initial({ letters }) {
        const shares = mean(oneHot(letters, width, { dtype: "float64" }), 0);
        const logits = log(add(mul(0.9, shares), 0.1 / width));
        return { logits, moments: { first: zerosLike(logits), second: zerosLike(logits) } };
      },
      draw: ({ logits }, _, round) => drawLetters(Float64Array.from(softmax(logits, -1).data()), round),
      learn: (policy, { letters, predictions }, round) =>
        step(policy, letters, predictions, tensor(round.step, { dtype: "float64" })),
    },
    options,
  );
}
