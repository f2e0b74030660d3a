import {
  asTensor,
  checkOptions,
  linalg,
  matmul,
  requireChoice,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { correlation } from "./attention.js";
import { smallestFrobenius, smallestNuclear } from "./attention-svm.js";
import { type AttentionExamples, type ReadExamples, readExamples } from "./examples.js";
import { combined, differenceOf, gramOf, type MarginRows, marginRows } from "./margin-rows.js";

/** Which tokens are told to be selected. */
export interface SelectTokensOptions {
  /** Attention above which a token is selected. Default 1e-3. */
  readonly high?: number;
  /** Attention below which it is not. Default 1e-6. */
  readonly low?: number;
}

/** Selected tokens. */
export interface SelectedTokens {
  /** O_i, the tokens of each example with attention above `high`. */
  readonly tokens: readonly (readonly number[])[];
  /** Whether no token lies between `low` and `high`: training has gone on for long enough. */
  readonly clear: boolean;
}

/**
 * The tokens that attention selects, one or several an example.
 *
 * @param attention `[n, T]`, as `trainAttention` gives it.
 * @throws ShapeError, ValueError for what does not fit.
 */
export function selectTokens(attention: TensorLike, options: SelectTokensOptions = {}): SelectedTokens {
  checkOptions("selectTokens", options, ["high", "low"]);
  const { high = 1e-3, low = 1e-6 } = options;
  if (!(low > 0 && low <= high && high < 1)) {
    throw new ValueError(`selectTokens: low is ${low} and high ${high}; they must be in (0, 1), low not above high`);
  }
  const s = asTensor(attention, "float64");
  if (s.rank !== 2) throw new ShapeError(`selectTokens: attention has shape [${s.shape}]; give [n, T]`);
  const [count, length] = s.shape;
  const values = s.data();
  const tokens = Array.from({ length: count }, (_, i) =>
    Array.from({ length }, (_, t) => t).filter((t) => values[i * length + t] > high),
  );
  return { tokens, clear: values.every((value: number) => value > high || value < low) };
}

/** Options of `generalisedSvm`. */
export interface GeneralisedSvmOptions {
  /** Default `"frobenius"`. */
  readonly norm?: "frobenius" | "nuclear";
}

/** Where training goes that selects several tokens of an example: `W ~ W_fin + c W_mm`. */
export interface GeneralisedSvm {
  /** W_fin, `[d, d]`: the smallest matrix that gives the selected tokens the ratios of attention they have. */
  readonly finite: Tensor;
  /** W_mm, `[d, d]`: the smallest one that separates them from the others and does not tell them apart. */
  readonly w: Tensor;
  /** 1 / ||W_mm||. */
  readonly margin: number;
  /** c, the best fit to trained weights, and how parallel `W_fin + c W_mm` and they are. */
  fit(weights: TensorLike): { readonly c: number; readonly w: Tensor; readonly correlation: number };
}

/**
 * The SVM of attention that selects several tokens.
 *
 * @param selected O_i, as `selectTokens` gives it.
 * @param attention `[n, T]`, for the ratios within O_i.
 * @throws InfeasibleSvmError where they cannot be separated; ShapeError, ValueError for what does not fit.
 * @example
 * const { tokens } = selectTokens(trained.attention);
 * const { fit } = await generalisedSvm(examples, tokens, trained.attention);
 * console.log(fit(trained.w).correlation);
 */
export async function generalisedSvm(
  examples: AttentionExamples,
  selected: readonly (readonly number[])[],
  attention: TensorLike,
  options: GeneralisedSvmOptions = {},
): Promise<GeneralisedSvm> {
  const owner = "generalisedSvm";
  checkOptions(owner, options, ["norm"]);
  const { norm = "frobenius" } = options;
  requireChoice(owner, "norm", norm, ["frobenius", "nuclear"]);
  const read = readExamples(owner, examples);
  const { count, length, dimension: d } = read;
  const s = asTensor(attention, "float64");
  if (s.shape.join() !== `${count},${length}`) {
    throw new ShapeError(`${owner}: attention has shape [${s.shape}]; it must be [${count}, ${length}]`);
  }
  if (!Array.isArray(selected) || selected.length !== count) {
    throw new ValueError(`${owner}: selected must be ${count} lists of tokens`);
  }
  const seen = read.mask.data();
  selected.forEach((tokens, i) => {
    if (!Array.isArray(tokens)) throw new ValueError(`${owner}: selected[${i}] must be a list of tokens`);
    if (tokens.length === 0) throw new ValueError(`${owner}: no token of example ${i} is selected; lower \`high\``);
    for (const t of tokens) {
      if (!(Number.isInteger(t) && t >= 0 && t < length && seen[i * length + t] !== 0)) {
        throw new ValueError(`${owner}: token ${String(t)} of example ${i} is not there`);
      }
      const share = s.data()[i * length + t];
      if (share > 0 && share < Infinity) continue;
      throw new ValueError(
        `${owner}: the attention of the selected token ${t} of example ${i} is ${share}; it must be > 0`,
      );
    }
  });
  const ties = tieRows(read, selected);
  const shape = [d, d];
  const finite = tensor(combined(ties, ratioMultipliers(ties, read, selected, s), read), { shape });
  const firsts = selected.map((tokens) => tokens.slice(0, 1));
  // Within O_i scores are equal, so that one of them stands for all.
  const margins = withoutSelected(marginRows(read, firsts), selected);
  if (margins.differences.length === 0) {
    throw new ValueError(`${owner}: every token is selected; there is none to be separated from`);
  }
  const found = await (norm === "frobenius" ? smallestFrobenius : smallestNuclear)(owner, read, margins, ties, {});
  const w = tensor(found.w, { shape });
  return {
    finite,
    w,
    margin: 1 / found.objective,
    fit(weights) {
      const given = asTensor(weights, "float64");
      const c = given.sub(finite).mul(w).sum().item() / w.mul(w).sum().item();
      const fitted = finite.add(w.mul(c));
      return { c, w: fitted, correlation: correlation(given, fitted) };
    },
  };
}

/** `x_first - x_other` of the selected tokens of each example. */
function tieRows({ tokens, length, dimension }: ReadExamples, selected: readonly (readonly number[])[]): MarginRows {
  const values = tokens.data();
  const differences: Float64Array[] = [];
  const examples: number[] = [];
  const losers: number[] = [];
  selected.forEach(([first, ...others], i) => {
    for (const t of others) {
      differences.push(differenceOf(values, (i * length + first) * dimension, (i * length + t) * dimension, dimension));
      examples.push(i);
      losers.push(t);
    }
  });
  return { differences, examples, losers };
}

function withoutSelected(rows: MarginRows, selected: readonly (readonly number[])[]): MarginRows {
  const kept = rows.losers.map((t, p) => !selected[rows.examples[p]].includes(t));
  const only = <T>(list: readonly T[]) => list.filter((_, p) => kept[p]);
  return { differences: only(rows.differences), examples: only(rows.examples), losers: only(rows.losers) };
}

/** Multipliers of the least W with `(x_first - x_other)^T W z = log(s_first / s_other)`: its Gram matrix may be singular. */
function ratioMultipliers(
  ties: MarginRows,
  read: ReadExamples,
  selected: readonly (readonly number[])[],
  attention: Tensor,
): ArrayLike<number> {
  if (ties.differences.length === 0) return [];
  const s = attention.data();
  const at = (i: number, t: number) => Math.log(s[i * read.length + t]);
  const ratios = ties.losers.map(
    (t, p) => at(ties.examples[p], selected[ties.examples[p]][0]) - at(ties.examples[p], t),
  );
  const gram = tensor(gramOf(ties, read), { dtype: "float64" });
  return matmul(linalg.pinv(gram), tensor(ratios, { dtype: "float64" })).data();
}
