import {
  type LinearOperator,
  type RunOptions,
  type RunState,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import {
  abs,
  checkOptions,
  hostTensor,
  linalg,
  max,
  NonFiniteError,
  neg,
  random,
  requireFinite,
  requireInteger,
  requireNonNegative,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  zerosLike,
} from "@offprint/tensor-core";
import { checkSketch, type Sketch } from "./sketch.js";
import { matrixProduct, type SaddleProduct, type SketchedMatrix, SketchSolver } from "./sketch-steps.js";

/** One call of the compiled loop: what `onProgress` is told. */
export interface SketchSolveRecord {
  /** Steps so far. */
  readonly iteration: number;
  /** ||K x - b||. */
  readonly residualNorm: number;
}

/** Where `sketchSolve` stands. */
export interface SketchSolveState {
  /** `[d]` the solution so far. */
  readonly x: Tensor;
  /** Steps made. */
  readonly steps: number;
  /** Calls of the compiled loop: each has its own random numbers. */
  readonly calls: number;
  /** ||K x - b||. */
  readonly residualNorm: number;
}

/** Options of {@link sketchSolve}. */
export interface SketchSolveOptions
  extends RunOptions<SketchSolveRecord, RunState<SketchSolveState, SketchSolveRecord>> {
  /** Default `{ kind: "kaczmarz" }`; `{ kind: "gaussian" }` where K is an operator. */
  readonly sketch?: Sketch;
  /** Converged when ||K x - b|| is at most this times ||b||, >= 0 (default 1e-8). */
  readonly tolerance?: number;
  /** Or when it is at most this, >= 0 (default 0). */
  readonly absoluteTolerance?: number;
  /** `[d]` where it begins. Default zeros. */
  readonly initial?: TensorLike;
  /** Steps at most, an integer >= 0 (default 1e6); Kaczmarz steps come d at a time. */
  readonly maxIterations?: number;
  /** Of the random sketches (default 0). */
  readonly seed?: number | string;
}

/** What {@link sketchSolve} gives. */
export interface SketchSolveResult {
  /** `[d]` the solution, or the last iterate. */
  readonly x: Tensor;
  /** How it ended. */
  readonly status: Status;
  /** Steps, those of resumed runs included. */
  readonly iterations: number;
  /** ||K x - b||. */
  readonly residualNorm: number;
  /** A record for every call of the compiled loop. */
  readonly history: readonly SketchSolveRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<SketchSolveState, SketchSolveRecord>;
}

const names = ["sketch", "tolerance", "absoluteTolerance", "initial", "maxIterations", "seed", ...runOptionNames];

/**
 * Solves `K x = b` for a symmetric K, definite or not, by sketch and project: randomised Kaczmarz, Gaussian vectors,
 * blocks. Memory beside K is O(d); the number of steps grows like `||K||_F^2 / sigma_min(K)^2`.
 *
 * @param K - `[d, d]`, or a function that writes K x into its second argument.
 * @param b - `[d]`.
 * @throws ShapeError; ValueError for options out of range and values that are not finite; NonFiniteError.
 * @example const { x, status } = await sketchSolve([[2, 1], [1, -1]], [3, 0]); // [1, 1]
 */
export async function sketchSolve(
  K: TensorLike | LinearOperator,
  b: TensorLike,
  options: SketchSolveOptions = {},
): Promise<SketchSolveResult> {
  const owner = "sketchSolve";
  checkOptions(owner, options, names);
  const right = readVector(owner, "b", b);
  const d = right.size;
  const isOperator = typeof K === "function";
  const { sketch = { kind: isOperator ? "gaussian" : "kaczmarz" }, tolerance = 1e-8, absoluteTolerance = 0 } = options;
  const { maxIterations = 1e6, seed = 0, initial } = options;
  checkSketch(owner, sketch, d);
  requireNonNegative(owner, "tolerance", tolerance);
  requireNonNegative(owner, "absoluteTolerance", absoluteTolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  if (isOperator && (sketch.kind === "kaczmarz" || sketch.kind === "exact")) {
    throw new ValueError(
      `${owner}: sketch ${sketch.kind} reads rows of K; give K as a matrix, or sketch gaussian or block`,
    );
  }
  const start = initial === undefined ? zerosLike(right) : readVector(owner, "initial", initial, d);
  const system: SketchedMatrix = isOperator ? { context: [] } : readMatrix(owner, K, d);
  const product: SaddleProduct = isOperator ? operatorProduct(K, d) : matrixProduct;
  const solver = new SketchSolver(owner, sketch, product, isOperator ? "called" : "matrix");
  const negated = neg(right);
  const rng = random.rng(seed);
  requireSquares(owner, "b", right);
  if (system.matrix !== undefined) requireSquares(owner, "K", system.matrix);
  const threshold = Math.max(tolerance * linalg.norm(right).item(), absoluteTolerance);
  const run = await runLoop<SketchSolveState, SketchSolveRecord>(
    {
      owner,
      limit: maxIterations,
      initial: () => ({ x: start, steps: 0, calls: 0, residualNorm: solver.residual(system, negated, start) }),
      step(state) {
        const at = { D: state.x, steps: state.steps };
        const end = { threshold, limit: maxIterations };
        const { D, residual, steps } = solver.advance(system, negated, at, end, rng.fork(state.calls));
        if (!Number.isFinite(residual)) throw new NonFiniteError("the residual is not finite: K overflows");
        return { x: D, residualNorm: residual, steps: state.steps + steps, calls: state.calls + 1 };
      },
      record: ({ residualNorm }, iteration) => ({ iteration, residualNorm }),
      // A pass of d steps may go beyond the limit by less than d.
      count: ({ steps }) => Math.min(steps, maxIterations),
      finished: ({ residualNorm }) => (residualNorm <= threshold ? "converged" : undefined),
      check: ({ x }) => {
        if (x.size !== d) throw new ValueError(`${owner}: resume is the state of a system of size ${x.size}, not ${d}`);
      },
    },
    options,
  ).finally(() => solver.release());
  const { last, status, iterations, history, state } = run;
  return { x: last.x, status, iterations, residualNorm: last.residualNorm, history, state };
}

function readVector(owner: string, argument: string, values: TensorLike, size?: number): Tensor {
  const v = tensor(values, { dtype: "float64" });
  if (v.rank !== 1 || v.size === 0 || (size !== undefined && v.size !== size)) {
    throw new ShapeError(`${owner}: ${argument} has shape [${v.shape}]; it must be [${size ?? "d"}]`);
  }
  requireFinite(owner, argument, v);
  return v;
}

/** Residuals and rows are judged by their squares: where these vanish or overflow, 0 would seem a solution. */
function requireSquares(owner: string, argument: string, values: Tensor): void {
  const largest = max(abs(values)).item();
  if (largest === 0 || (largest > 1e-145 && largest < 1e145)) return;
  throw new ValueError(
    `${owner}: the largest entry of ${argument} is ${largest}, whose square float64 does not hold; divide ${argument} by it, and x follows`,
  );
}

function readMatrix(owner: string, K: TensorLike, d: number): SketchedMatrix {
  const matrix = tensor(K, { dtype: "float64" });
  if (matrix.rank !== 2 || matrix.shape[0] !== d || matrix.shape[1] !== d) {
    throw new ShapeError(`${owner}: K has shape [${matrix.shape}]; it must be [${d}, ${d}] like b`);
  }
  requireFinite(owner, "K", matrix);
  const values = matrix.data();
  const scale = linalg.norm(matrix).item();
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < i; j++) {
      if (Math.abs(values[i * d + j] - values[j * d + i]) <= 1e-10 * scale) continue;
      throw new ValueError(`${owner}: K is not symmetric at (${i}, ${j}); for other matrices solve K^T K x = K^T b`);
    }
  }
  return { context: [matrix], matrix };
}

function operatorProduct(K: LinearOperator, d: number): SaddleProduct {
  return (_, v) => {
    const out = new Float64Array(d);
    K(Float64Array.from(v.data()), out);
    return hostTensor(out, [d], "float64");
  };
}
