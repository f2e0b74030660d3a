import {
  ConvergenceError,
  checkOptions,
  requirePositive,
  type Tensor,
  type TensorLike,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { ask, type CheckedAnswer, checkOracle, type OracleCalls, type TargetOracle } from "./target-oracle.js";
import { precise } from "./target-surrogate.js";

/** How distances between outputs are measured; see the package's README. */
export type Metric = "adagrad" | "adagrad-diag" | "adam" | "armijo" | "euclidean" | "kl" | "newton";

/** What a metric remembers, as plain data. */
export interface MetricState {
  /** The last step of the line search, eta_{t-1}; 0 before the first. */
  readonly lastEta: number;
  /** A: sum of squared gradients. */
  readonly sumOfSquares: number;
  /** G or v of every example, `[n, C]`; empty without. */
  readonly second: Float64Array;
  /** m of every example, `[n, C]`; empty without. */
  readonly first: Float64Array;
  /** Updates so far. */
  readonly step: number;
}

/** D of one surrogate. */
export interface MetricChoice {
  /** 1/eta, or a diagonal `[b, C]`. */
  readonly D: Tensor;
  /** eta for the history: 1/D, or the mean of 1/|D|. */
  readonly eta: number;
  /** What is remembered for the next one. */
  readonly state: MetricState;
}

/** What a metric is computed from. */
export interface MetricInput {
  /** eta_t: eta_0 times the schedule's factor. */
  readonly eta: number;
  /** eta_0. */
  readonly eta0: number;
  /** Outputs z_t, `[b, C]`. */
  readonly z: Tensor;
  /** Numbers of the examples, as the oracle knows them. */
  readonly ids: Int32Array;
  /** Their places among all examples. */
  readonly rows: Int32Array;
  /** What the oracle said at z_t. */
  readonly answer: CheckedAnswer;
  /** For more losses, in the line search. */
  readonly oracle: TargetOracle;
  /** Counts them. */
  readonly calls: OracleCalls;
  /** Number of examples in all. */
  readonly examples: number;
  /** Sufficient decrease of the line search. */
  readonly c: number;
  /** Added to the curvature. */
  readonly newtonGuard: number;
}

/** The state before the first step. */
export const freshMetric: MetricState = {
  lastEta: 0,
  sumOfSquares: 0,
  second: new Float64Array(0),
  first: new Float64Array(0),
  step: 0,
};

/** Whether a metric remembers every example, by its place among all. */
export function remembersExamples(metric: Metric): boolean {
  return metric === "adagrad-diag" || metric === "adam";
}

/** D_t of a metric. */
export async function chooseMetric(metric: Metric, state: MetricState, input: MetricInput): Promise<MetricChoice> {
  switch (metric) {
    case "euclidean":
    case "kl":
      return scalarMetric(input.eta, state);
    case "armijo":
      return lineSearchMetric(state, input);
    case "adagrad": {
      const sumOfSquares = state.sumOfSquares + input.answer.grad.reduce((sum, g) => sum + g * g, 0);
      // no constant beside the root, which would be a unit of the gradients; without any gradient so far there is none
      const unit = sumOfSquares > 0 ? Math.sqrt(sumOfSquares) : 1;
      return scalarMetric(input.eta / unit, { ...state, sumOfSquares });
    }
    case "adagrad-diag":
      return adagradDiagonal(state, input);
    case "adam":
      return adamDiagonal(state, input);
    case "newton":
      return diagonal(
        input.answer.curvature.map((h) => (h + input.newtonGuard) / input.eta),
        input.z,
        state,
      );
    default:
      throw new UnsupportedError(`there is no metric ${String(metric)}`);
  }
}

function scalarMetric(eta: number, state: MetricState): MetricChoice {
  return { D: tensor(Float64Array.of(1 / eta)).reshape([]), eta, state };
}

function diagonal(D: Float64Array, z: Tensor, state: MetricState): MetricChoice {
  const eta = D.reduce((sum, d) => sum + 1 / Math.abs(d), 0) / D.length;
  return { D: tensor(D, { shape: z.shape }), eta, state };
}

async function lineSearchMetric(state: MetricState, input: MetricInput): Promise<MetricChoice> {
  const { oracle, z, ids, calls, answer, c } = input;
  const etaPrev = state.lastEta > 0 ? state.lastEta : input.eta0;
  const found = await searchFrom(oracle, z, ids, calls, answer, { etaPrev, c });
  const lastEta = Math.min(LONGEST * input.eta0, found.eta);
  return scalarMetric(lastEta * (input.eta / input.eta0), { ...state, lastEta });
}

/** Trials of a line search in target space. */
const MOST_TRIALS = 200;
/** Longest step that it may find, in units of eta_0; nothing stands below, where a loss of a large unit needs it. */
const LONGEST = 1e4;
/** Least sum of squares of AdaGrad's diagonal, in units of the mean. */
const LEAST_SQUARES = 1e-5;
/** Of a sum of losses, what may be a rounding error. */
const ROUNDING = 1e-14;

/** Options of `targetLineSearch`. */
export interface TargetLineSearchOptions {
  /** The last step; the search begins at 1.8 times it. */
  readonly etaPrev: number;
  /** Sufficient decrease, in (0, 1). Default 0.5. */
  readonly c?: number;
}

/**
 * Armijo's line search in target space: the largest `eta` of 1.8, 1.62, ... times the last one with
 * `loss(z - eta g) <= loss(z) - c eta |g|^2`, sums over the batch. Its trials ask the oracle for losses only.
 *
 * @throws ConvergenceError where no step of 200 trials is short enough.
 */
export async function targetLineSearch(
  oracle: TargetOracle,
  z: TensorLike,
  ids: Int32Array,
  options: TargetLineSearchOptions,
): Promise<{ readonly eta: number; readonly backtracks: number }> {
  checkOptions("targetLineSearch", options, ["etaPrev", "c"]);
  checkOracle("targetLineSearch", oracle);
  const outputs = precise(z);
  const calls = { grad: 0, loss: 0 };
  const answer = await ask(oracle, outputs, ids, calls, { grad: true });
  const { eta, backtracks } = await searchFrom(oracle, outputs, ids, calls, answer, options);
  if (backtracks < MOST_TRIALS) return { eta, backtracks };
  throw new ConvergenceError(
    `targetLineSearch: no step from ${1.8 * options.etaPrev} to ${eta} lowers the loss enough; give a shorter etaPrev, or see whether the oracle's gradient is that of its loss`,
  );
}

async function searchFrom(
  oracle: TargetOracle,
  z: Tensor,
  ids: Int32Array,
  calls: OracleCalls,
  answer: CheckedAnswer,
  { etaPrev, c = 0.5 }: TargetLineSearchOptions,
): Promise<{ readonly eta: number; readonly backtracks: number }> {
  requirePositive("targetLineSearch", "etaPrev", etaPrev);
  if (!(c > 0 && c < 1)) throw new ValueError(`targetLineSearch: c is ${c}; it must be in (0, 1)`);
  const before = answer.loss.reduce((a, b) => a + b, 0);
  const squared = answer.grad.reduce((sum, g) => sum + g * g, 0);
  const at = z.data();
  const rounding = ROUNDING * answer.loss.reduce((a, b) => a + Math.abs(b), 0);
  // where there is no gradient, no step is better than the last one
  if (squared === 0) return { eta: etaPrev, backtracks: 0 };
  let eta = 1.8 * etaPrev;
  for (let backtracks = 0; backtracks < MOST_TRIALS; backtracks++) {
    const moved = tensor(
      Float64Array.from(at, (value, k) => value - eta * answer.grad[k]),
      { shape: z.shape },
    );
    const after = (await ask(oracle, moved, ids, calls)).loss.reduce((a, b) => a + b, 0);
    if (after <= before - c * eta * squared + rounding) return { eta, backtracks };
    eta *= 0.9;
  }
  return { eta, backtracks: MOST_TRIALS };
}

function stored(values: Float64Array, examples: number, C: number): Float64Array {
  return values.length === 0 ? new Float64Array(examples * C) : values.slice();
}

function adagradDiagonal(state: MetricState, { answer, rows, z, eta, examples }: MetricInput): MetricChoice {
  const C = z.shape[1];
  const second = stored(state.second, examples, C);
  const placeOf = (k: number) => rows[Math.floor(k / C)] * C + (k % C);
  answer.grad.forEach((g, k) => {
    second[placeOf(k)] += g ** 2;
  });
  const own = answer.grad.map((_, k) => second[placeOf(k)]);
  const least = (LEAST_SQUARES * own.reduce((a, b) => a + b, 0)) / own.length;
  // without any gradient so far there is no unit of it: 1/eta
  const D = own.map((squares) => (least > 0 ? Math.sqrt(Math.max(least, squares)) : 1) / eta);
  return diagonal(D, z, { ...state, second });
}

/**
 * D for which the free step in target space, g / D, is Adam's: `g / (eta m^ / sqrt(v^))`. Where the momentum and the
 * gradient disagree D is negative, and the surrogate no bound.
 */
function adamDiagonal(state: MetricState, { answer, rows, z, eta, examples }: MetricInput): MetricChoice {
  const [beta1, beta2] = [0.9, 0.999];
  const C = z.shape[1];
  const first = stored(state.first, examples, C);
  const second = stored(state.second, examples, C);
  const step = state.step + 1;
  const D = new Float64Array(answer.grad.length);
  for (let k = 0; k < D.length; k++) {
    const at = rows[Math.floor(k / C)] * C + (k % C);
    const g = answer.grad[k];
    first[at] = beta1 * first[at] + (1 - beta1) * g;
    second[at] = beta2 * second[at] + (1 - beta2) * g * g;
    const root = Math.sqrt(second[at] / (1 - beta2 ** step));
    const direction = root > 0 ? first[at] / (1 - beta1 ** step) / root : 0;
    const bound = g === 0 || Math.abs(direction) < 1e-12;
    D[k] = bound ? 1 / eta : g / (eta * direction);
  }
  return diagonal(D, z, { ...state, first, second, step });
}
