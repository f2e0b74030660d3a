import type { Status } from "@offprint/solvers";
import {
  add,
  checkOptions,
  jit,
  matmul,
  mul,
  random,
  requireChoice,
  requireInteger,
  requireObject,
  square,
  stack,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { decodeSequences, encodeSequences, hammingDistance } from "./alphabet.js";
import { featuresBackward, kernelBackward } from "./bidirectional-loss.js";
import {
  type BalancedStep,
  type BalanceOptions,
  type BalanceSettings,
  balancedStep,
  balanceOptionNames,
  type DesignFigures,
  type DesignRecord,
  type DesignState,
  readSettings,
  runBalanced,
} from "./descend-balanced.js";
import {
  type FittedTensors,
  fitTable,
  type OfflineTable,
  predictScores,
  relaxation,
  requireFit,
  type TableFit,
} from "./fit-table.js";
import { initialLogits } from "./relaxation.js";
import { type AuxiliaryModel, featuresAt, isKernel, type KernelModel, type RelaxedModel } from "./relaxed-model.js";

/** Which losses lead: both with an adaptive weight, with a fixed one of 1/2, one of them alone, or the prediction itself. */
export type DesignMode = "bib" | "bdi" | "forward" | "backward" | "grad";

const modes = ["bib", "bdi", "forward", "backward", "grad"] as const;

/** Options of {@link designWith}. */
export interface DesignWithOptions extends Omit<BalanceOptions, "balance"> {
  /** Default `bib`. */
  readonly mode?: DesignMode;
  /** gamma of the mode `bdi`, in [0, 1]. Default 0.5, as in BDI. */
  readonly balance?: number;
  /** y_h, in standard deviations of the table's scores. Default 10, which no design reaches. */
  readonly target?: number;
  /** beta_h over the designs' own kernel, >= 0. Default 1e-6. */
  readonly designRidge?: number;
  /** Whether all designs together predict the table, in place of each alone. Default false. */
  readonly joint?: boolean;
  /** Sequences to begin with, or how many of the best. Default the 128 best, or all. */
  readonly starts?: number | readonly string[];
  /** `[B, L, V]` logits to begin with, one for each start. Default from the starts. */
  readonly initialLogits?: TensorLike;
  /** The auxiliary score that gamma and eta follow. Default the mean of the table's five heads. */
  readonly auxiliary?: AuxiliaryModel;
  /** Which designs are given: the last ones, or of each the one with the best prediction on the way. Default `last`. */
  readonly select?: "last" | "proxyBest";
  /** Decides the first logits. Default 0. */
  readonly seed?: number | string;
}

/** Options of {@link designSequences}. */
export interface DesignOptions extends DesignWithOptions {
  /** Penalty of the forward map over the mean diagonal of the kernel, >= 0. Default 1e-6, as in the paper. */
  readonly ridge?: number;
  /** How the five heads of the auxiliary score are fitted: ridge regressions of resampled rows, or Adam from five draws. Default `ridge`. */
  readonly heads?: "ridge" | "adam";
}

/** What {@link designSequences} gives. */
export interface DesignResult {
  /** The designs, in the order of the starts. */
  readonly sequences: string[];
  /** What the forward map predicts of each, in the table's units. */
  readonly predictions: Float64Array;
  /** Where each began. */
  readonly starts: string[];
  /** How many letters each changed. */
  readonly distances: number[];
  /** The last logits, `[B, L, V]`. */
  readonly logits: Tensor;
  /** What a reader should know of the fit. */
  readonly notes: readonly string[];
  /** Steps done. */
  readonly steps: number;
  /** How it ended. */
  readonly status: Status;
  /** A record for each step. */
  readonly history: readonly DesignRecord[];
  /** What `resume` goes on from. */
  readonly state: DesignState;
}

const withNames = [
  ...["mode", "target", "designRidge", "joint", "starts", "initialLogits", "auxiliary", "select", "seed"],
  ...balanceOptionNames,
];

/**
 * BIB (Chen, Zhang, Liu and Coates 2023): sequences with a higher score than any of a table. Each design descends on
 * `gamma L_fwd + (1 - gamma) L_bwd`: the table must predict the target of it, and it the table; gamma follows an auxiliary
 * score one step ahead.
 * @throws ValueError for tables, models and options that are none; NonFiniteError, with the last good state, where a loss is
 * not finite.
 * @see https://arxiv.org/abs/2301.02931
 * @example
 * ```ts no-run
 * import { designSequences } from "@offprint/bib";
 *
 * const { sequences, predictions } = await designSequences(table, model, { starts: 32, steps: 60 });
 * ```
 */
export async function designSequences(
  table: OfflineTable,
  model: RelaxedModel | KernelModel,
  options: DesignOptions = {},
): Promise<DesignResult> {
  checkOptions("designSequences", options, ["ridge", "heads", ...withNames]);
  const { ridge, heads, ...rest } = options;
  const settings = readOptions("designSequences", rest);
  const fit = fitTable(table, model, {
    ...{ seed: settings.seed },
    ...(ridge !== undefined && { ridge }),
    ...(heads !== undefined && { heads }),
  });
  return design("designSequences", fit, rest, settings);
}

/** The same from a fit that is there already, for several runs on one table. */
export async function designWith(fit: TableFit, options: DesignWithOptions = {}): Promise<DesignResult> {
  requireFit("designWith", fit);
  checkOptions("designWith", options, withNames);
  return design("designWith", fit, options, readOptions("designWith", options));
}

type Settings = ReturnType<typeof readOptions>;

async function design(
  owner: string,
  fit: TableFit,
  options: DesignWithOptions,
  settings: Settings,
): Promise<DesignResult> {
  const { starts, first } = startsOf(owner, fit, options, settings.seed);
  const { mode } = settings;
  if (options.balance !== undefined && mode !== "bdi") {
    throw new ValueError(`${owner}: balance is of the mode "bdi", which is "${mode}"; leave it out`);
  }
  const fixed = { bib: "adaptive", bdi: options.balance ?? 0.5, forward: 1, grad: 1, backward: 0 } as const;
  const balance = fixed[mode];
  const balanced = readSettings(owner, { ...options, balance });
  const { tensors, model } = fit;
  const { step, release } = compiledStep(fit, settings, balanced, options);
  const result = await runBalanced(owner, first, step, tensors, balanced, options).finally(release);
  const { logits, best, history, state, status } = result;
  const last = decodeSequences(logits, model.alphabet);
  const lastPredictions = predictScores(fit, last);
  const passed = settings.select === "last" ? last : decodeSequences(best.logits, model.alphabet);
  const passedPredictions = settings.select === "last" ? lastPredictions : predictScores(fit, passed);
  const sequences = last.map((own, i) => (passedPredictions[i] > lastPredictions[i] ? passed[i] : own));
  return {
    ...{ sequences, starts, logits, notes: fit.notes, steps: result.steps, status, history, state },
    predictions: lastPredictions.map((own, i) => Math.max(own, passedPredictions[i])),
    distances: sequences.map((sequence, i) => hammingDistance(sequence, starts[i])),
  };
}

function readOptions(owner: string, options: DesignWithOptions) {
  const {
    mode = "bib",
    target = 10,
    designRidge = 1e-6,
    joint = false,
    select = "last",
    seed = 0,
    auxiliary,
  } = options;
  requireChoice(owner, "mode", mode, modes);
  requireChoice(owner, "select", select, ["last", "proxyBest"]);
  requireChoice(owner, "joint", joint, [true, false]);
  if (!Number.isFinite(target)) throw new ValueError(`${owner}: target is ${target}; it must be a finite number`);
  if (!(designRidge >= 0 && designRidge < Number.POSITIVE_INFINITY)) {
    throw new ValueError(`${owner}: designRidge is ${designRidge}; it must be a finite number >= 0`);
  }
  if (auxiliary !== undefined && typeof auxiliary !== "function") {
    throw new ValueError(
      `${owner}: auxiliary must be a function of one-hot rows and features, got ${typeof auxiliary}`,
    );
  }
  return { mode, target, designRidge, joint, select, seed };
}

/** One sample of noise serves all designs. */
function startsOf(
  owner: string,
  { table, model }: TableFit,
  { starts: wanted = 128, initialLogits: given }: DesignWithOptions,
  seed: number | string,
) {
  const { alphabet } = model;
  let starts: string[];
  if (typeof wanted === "number") {
    requireInteger(owner, "starts", wanted, 1);
    const order = [...table.sequences.keys()].sort((a, b) => table.scores[b] - table.scores[a]);
    starts = order.slice(0, wanted).map((i) => table.sequences[i]);
  } else starts = [...wanted];
  const rows = encodeSequences(`${owner}: starts`, starts, alphabet);
  if (rows.shape[1] !== [...table.sequences[0]].length) {
    throw new ValueError(`${owner}: starts have ${rows.shape[1]} letters and the table's sequences others`);
  }
  if (given === undefined) {
    const noise = () => random.rng(`${seed}/logits`);
    return { starts, first: stack(starts.map((sequence) => initialLogits(sequence, alphabet, noise()))) };
  }
  const first = tensor(given, { dtype: "float64" });
  if (first.shape.join() !== rows.shape.join()) {
    throw new ValueError(`${owner}: initialLogits has shape [${first.shape}]; the starts need [${rows.shape}]`);
  }
  return { starts, first };
}

type DesignStep = BalancedStep<FittedTensors>;

/** Steps by the function that computes features or kernels, and by all that is decided before it is traced. */
const kept = new WeakMap<object, Map<string, DesignStep>>();

/** The compiled step; models with one function of features share it, whatever their parameters. */
function compiledStep(
  { model }: TableFit,
  settings: Settings,
  { balance, adaptiveRate, learningRate, outer }: BalanceSettings,
  { auxiliary, backend }: DesignWithOptions,
): { step: DesignStep; release: () => Promise<void> } {
  const { mode, target, designRidge, joint } = settings;
  const figured = { mode, target, designRidge, joint };
  const chosen = { balance, adaptiveRate, learningRate, outer };
  const compile = () =>
    jit(
      balancedStep(designFigures(model, { ...figured, ...(auxiliary && { auxiliary }) }), chosen),
      backend && { backend },
    );
  if (auxiliary !== undefined || backend !== undefined) {
    const step = compile();
    return { step, release: () => step.release() };
  }
  const by = isKernel(model) ? model.kernel : model.features;
  const steps = kept.get(by) ?? new Map<string, DesignStep>();
  kept.set(by, steps);
  const key = JSON.stringify([model.alphabet, isKernel(model) || model.kmer, mode, target, designRidge, joint, chosen]);
  const step = steps.get(key) ?? compile();
  steps.set(key, step);
  return { step, release: async () => undefined };
}

/** Options of {@link designFigures}. */
export type FigureOptions = Pick<DesignWithOptions, "mode" | "target" | "designRidge" | "joint" | "auxiliary">;

/**
 * Both losses, the auxiliary score and the prediction of designs, from their logits and the `tensors` of a fit; traceable. For loops of
 * one's own, and {@link descendBalanced}.
 */
export function designFigures(
  model: RelaxedModel | KernelModel,
  options: FigureOptions = {},
): (logits: Tensor, fitted: FittedTensors) => DesignFigures {
  requireObject("designFigures", "model", model, "a RelaxedModel or a KernelModel");
  checkOptions("designFigures", options, ["mode", "target", "designRidge", "joint", "auxiliary"]);
  const { mode, target, designRidge, joint } = readOptions("designFigures", options);
  const { auxiliary } = options;
  const relaxed = relaxation(model);
  const backwardOptions = { target, joint, ridge: designRidge };
  return (logits, { parameters, forward, head, middle, table }) => {
    const oneHot = relaxed(logits);
    const columns =
      isKernel(model) && "rows" in table ? model.kernel(oneHot, table.rows) : featuresAt(model, oneHot, parameters);
    const prediction = matmul(columns, forward);
    const own = () => (isKernel(model) ? (joint ? model.kernel(oneHot, oneHot) : model.diagonal(oneHot)) : columns);
    return {
      prediction,
      backward:
        "rows" in table
          ? kernelBackward(columns, own(), table.y, backwardOptions)
          : featuresBackward(columns, table, backwardOptions),
      forward: mode === "grad" ? mul(-1, prediction) : square(sub(prediction, target)),
      auxiliary: auxiliary === undefined ? add(matmul(columns, head), middle) : auxiliary(oneHot, columns),
    };
  };
}
