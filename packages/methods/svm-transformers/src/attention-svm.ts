import { type ConicOptions, conicOptionNames, nuclearNormMin, solveConic } from "@offprint/conic";
import {
  ConvergenceError,
  checkOptions,
  linalg,
  OffprintError,
  requireChoice,
  requireNonNegative,
  sparse,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { type AttentionExamples, type ReadExamples, readExamples } from "./examples.js";
import {
  combined,
  gramOf,
  type MarginRows,
  marginRows,
  marginsOf,
  requireChoices,
  sizesOf,
  unitOf,
} from "./margin-rows.js";

/** No W separates the tokens that were chosen from the others. */
export class InfeasibleSvmError extends OffprintError {
  override readonly name = "InfeasibleSvmError";
  /** Multipliers b >= 0, one a constraint, with `sum b_p u_p z_p^T = 0` and sum 1: the proof. */
  readonly certificate: Float64Array;

  /** @param certificate The proof. */
  constructor(message: string, certificate: Float64Array) {
    super(message);
    this.certificate = certificate;
  }
}

/** Options of `attentionSvm`. */
export interface AttentionSvmOptions
  extends Pick<ConicOptions, "tolerance" | "maxIterations" | "onProgress" | "signal"> {
  /** `"frobenius"`: where training W goes. `"nuclear"`: where training K and Q goes. Default `"frobenius"`. */
  readonly norm?: "frobenius" | "nuclear";
  /** A token is a support token where its margin is below 1 plus this. Default 1e-5. */
  readonly supportTolerance?: number;
}

/** The largest margin with which the chosen tokens can be separated. */
export interface AttentionSvm {
  /** W_mm, `[d, d]`: the smallest matrix with `(x_i,chosen - x_it)^T W z_i >= 1`. */
  readonly w: Tensor;
  /** Its norm. */
  readonly objective: number;
  /** 1 / ||W_mm||. */
  readonly margin: number;
  /** The support tokens of each example, those that the margin touches. */
  readonly support: readonly (readonly number[])[];
  /** b >= 0, one for each constraint, example by example. */
  readonly multipliers: Float64Array;
  /** How the solver ended. */
  readonly status: string;
}

/** Accuracy of the solver unless said otherwise: support tokens are told at 1e-5. */
const TOLERANCE = 1e-9;

const optionNames = ["norm", "supportTolerance", "tolerance", "maxIterations", "onProgress", "signal"] as const;

/**
 * The hard-margin SVM over token differences: the direction in which gradient descent sends the weights of attention that
 * selects the given tokens.
 *
 * @param tokens alpha: the token of each example that is to be selected.
 * @throws InfeasibleSvmError, with its certificate, where no W separates them; ShapeError, ValueError for what does not
 * fit; ConvergenceError where the solver does not come near enough.
 * @example
 * const { w, margin, support } = await attentionSvm(examples, optimalTokens(examples, v).tokens);
 */
export async function attentionSvm(
  examples: AttentionExamples,
  tokens: readonly number[],
  options: AttentionSvmOptions = {},
): Promise<AttentionSvm> {
  const owner = "attentionSvm";
  checkOptions(owner, options, optionNames);
  requireChoice(owner, "norm", options.norm, ["frobenius", "nuclear"]);
  requireNonNegative(owner, "supportTolerance", options.supportTolerance ?? 0);
  const read = readExamples(owner, examples);
  requireChoices(owner, read, tokens);
  return svmOf(owner, read, tokens, options);
}

/** The same of checked examples. */
export async function svmOf(
  owner: string,
  read: ReadExamples,
  tokens: readonly number[],
  options: AttentionSvmOptions,
): Promise<AttentionSvm> {
  const { norm = "frobenius", supportTolerance = 1e-5, ...conic } = options;
  const rows = marginRows(
    read,
    tokens.map((token) => [token]),
  );
  const found = await (norm === "frobenius" ? smallestFrobenius : smallestNuclear)(owner, read, rows, noRows, conic);
  const support: number[][] = tokens.map(() => []);
  marginsOf(rows, found.w, read).forEach((margin, p) => {
    if (margin < 1 + supportTolerance) support[rows.examples[p]].push(rows.losers[p]);
  });
  return {
    w: tensor(found.w, { shape: [read.dimension, read.dimension] }),
    objective: found.objective,
    margin: 1 / found.objective,
    support,
    multipliers: found.multipliers,
    status: found.status,
  };
}

/** What a solver found. */
export interface SmallestMatrix {
  readonly w: Float64Array;
  readonly objective: number;
  readonly multipliers: Float64Array;
  readonly status: string;
}

/** No constraint. */
export const noRows: MarginRows = { differences: [], examples: [], losers: [] };

function joinRows(a: MarginRows, b: MarginRows): MarginRows {
  return {
    differences: [...a.differences, ...b.differences],
    examples: [...a.examples, ...b.examples],
    losers: [...a.losers, ...b.losers],
  };
}

type Solver = Pick<ConicOptions, "tolerance" | "maxIterations" | "onProgress" | "signal">;

function pickSolver(options: Solver): ConicOptions {
  const picked = Object.fromEntries(
    conicOptionNames.flatMap((name) => (name in options ? [[name, options[name as keyof Solver]]] : [])),
  );
  return { tolerance: TOLERANCE, ...picked };
}

/** By the dual: minimise `1/2 b^T M b - sum b` over b >= 0 for margins; multipliers of equalities are free. */
export async function smallestFrobenius(
  owner: string,
  read: ReadExamples,
  margins: MarginRows,
  equalities: MarginRows,
  options: Solver,
): Promise<SmallestMatrix> {
  const count = margins.differences.length;
  const rows = joinRows(margins, equalities);
  const total = rows.differences.length;
  const c = new Float64Array(total).fill(-1, 0, count);
  const A = sparse.fromDense(Array.from({ length: count }, (_, p) => unitRow(p, total)));
  const unit = unitOf(rows, read);
  const gram = gramOf(rows, read, unit);
  const found = await solveConic(
    { P: gram, A, b: new Float64Array(count), c, cones: { l: count } },
    pickSolver(options),
  );
  const b = found.x.map((multiplier) => multiplier / unit / unit);
  // A ray of the Gram matrix proves no more than that the margin's square is below the tolerance.
  if (found.status === "unbounded") return smallestByRows(owner, read, margins, equalities, options);
  if (found.status !== "converged") throw stuck(owner, found.status);
  return matrixOf(rows, b, count, read, found.status);
}

function matrixOf(
  rows: MarginRows,
  b: Float64Array,
  count: number,
  read: ReadExamples,
  status: string,
): SmallestMatrix {
  const w = combined(rows, b, read);
  const objective = Math.sqrt(w.reduce((sum, one) => sum + one * one, 0));
  return { w, objective, multipliers: b.slice(0, count), status };
}

/**
 * By the primal, with rows as unit vectors in coordinates of their own, whatever their sizes: a certificate counts here where
 * the margin itself is nothing.
 */
async function smallestByRows(
  owner: string,
  read: ReadExamples,
  margins: MarginRows,
  equalities: MarginRows,
  options: Solver,
): Promise<SmallestMatrix> {
  const rows = joinRows(margins, equalities);
  const count = margins.differences.length;
  const sizes = sizesOf(rows, read);
  const empty = sizes.subarray(0, count).indexOf(0);
  if (empty !== -1)
    throw infeasible(
      owner,
      Float64Array.from({ length: count }, (_, p) => (p === empty ? 1 : 0)),
    );
  const size = (p: number) => sizes[p] || 1;
  const least = sizes.subarray(0, count).reduce((a, b) => Math.min(a, b));
  const units = gramOf(rows, read).map((row, p) => row.map((value, q) => value / size(p) / size(q)));
  const { values, vectors } = linalg.eigh(tensor(units, { dtype: "float64" }));
  const [lengths, directions] = [values.data(), vectors.toArray() as number[][]];
  const kept = Array.from(lengths.keys()).filter((k) => lengths[k] > Number.EPSILON * sizes.length);
  const coordinates = (p: number, sign: number) => kept.map((k) => sign * directions[p][k] * Math.sqrt(lengths[k]));
  const order = [...Array.from(equalities.differences, (_, q) => count + q), ...Array(count).keys()];
  const found = await solveConic(
    {
      P: sparse.identity(kept.length),
      A: sparse.fromDense(order.map((p) => coordinates(p, p < count ? -1 : 1))),
      b: order.map((p) => (p < count ? -least / sizes[p] : 0)),
      c: new Float64Array(kept.length),
      cones: { z: order.length - count, l: count },
    },
    pickSolver(options),
  );
  const b = new Float64Array(order.length);
  order.forEach((p, i) => {
    b[p] = ((p < count ? 1 : -1) * found.y[i]) / size(p);
  });
  if (found.status === "infeasible") throw infeasible(owner, b.slice(0, count));
  if (found.status !== "converged") throw stuck(owner, found.status);
  return matrixOf(
    rows,
    b.map((one) => one / least),
    count,
    read,
    found.status,
  );
}

/** By a semidefinite programme. */
export async function smallestNuclear(
  owner: string,
  read: ReadExamples,
  margins: MarginRows,
  equalities: MarginRows,
  options: Solver,
): Promise<SmallestMatrix> {
  const { dimension: d, queries } = read;
  const z = queries.data();
  const unit = unitOf(joinRows(margins, equalities), read);
  /** For W / scale, with rows times their factors. */
  const solved = async (factors: (rows: MarginRows) => Float64Array, scale: number) => {
    const constraints = (rows: MarginRows, value: number) => {
      const by = factors(rows);
      return rows.differences.map((u, p) => {
        const matrix = new Float64Array(d * d);
        for (let i = 0; i < d; i++)
          for (let j = 0; j < d; j++) matrix[i * d + j] = u[i] * by[p] * z[rows.examples[p] * d + j];
        return { matrix, value: (value * by[p]) / scale };
      });
    };
    const found = await nuclearNormMin(
      { rows: d, columns: d, equalities: constraints(equalities, 0), inequalities: constraints(margins, 1) },
      pickSolver(options),
    );
    const by = factors(margins);
    const multipliers = found.multipliers.slice(equalities.differences.length).map((one, p) => one * by[p]);
    const w = found.W.map((value) => value * scale);
    return { w, objective: found.objective * scale, multipliers, status: found.status };
  };
  let found = await solved((rows) => new Float64Array(rows.differences.length).fill(1 / unit), 1 / unit);
  if (found.status === "infeasible") {
    const { objective } = await smallestByRows(owner, read, margins, equalities, options);
    found = await solved((rows) => sizesOf(rows, read).map((size) => 1 / (size || 1)), objective);
  }
  if (found.status !== "converged" && found.status !== "inaccurate") throw stuck(owner, found.status);
  return found;
}

/** -1 at one place. */
function unitRow(place: number, length: number): number[] {
  const row = new Array<number>(length).fill(0);
  row[place] = -1;
  return row;
}

function infeasible(owner: string, b: Float64Array): InfeasibleSvmError {
  const sum = b.reduce((total, one) => total + Math.max(0, one), 0);
  return new InfeasibleSvmError(
    `${owner}: no W separates these tokens from the others; choose others, leave out tokens that are there again (withoutRepeats), ` +
      "or take tokens of more dimensions",
    b.map((one) => Math.max(0, one) / sum),
  );
}

function stuck(owner: string, status: string): ConvergenceError {
  return new ConvergenceError(`${owner}: the solver ended as "${status}"; allow more iterations or a larger tolerance`);
}

/**
 * Whether some W separates the chosen tokens from the others; almost surely so in `max(T - 1, n)` dimensions.
 *
 * @throws ShapeError, ValueError for what does not fit.
 */
export async function isSeparable(examples: AttentionExamples, tokens: readonly number[]): Promise<boolean> {
  const read = readExamples("isSeparable", examples);
  requireChoices("isSeparable", read, tokens);
  return separable("isSeparable", read, tokens);
}

/** The same of checked examples. */
export async function separable(owner: string, read: ReadExamples, tokens: readonly number[]): Promise<boolean> {
  try {
    await svmOf(owner, read, tokens, { tolerance: 1e-8 });
    return true;
  } catch (error) {
    if (error instanceof InfeasibleSvmError) return false;
    throw error;
  }
}
