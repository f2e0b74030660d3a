import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  requireChoice,
  requireInteger,
  requirePositive,
  ShapeError,
  type sparse,
  ValueError,
} from "@offprint/tensor-core";
import { productWith, requireSymmetric, rowsOf, type SpdMatrix } from "./linear-map.js";
import { requireSameSystem } from "./same-system.js";
import { addScaled, dot, norm, powerOfTwo } from "./vector-arithmetic.js";

/** A search direction for a residual of unit length; its scale and sign do not matter. */
export type DirectionMap = (unitResidual: Float64Array) => Float64Array | Promise<Float64Array>;

/** A direction, its product with A, and its curvature `q . A q`. */
export interface Direction {
  /** `[n]` */
  readonly q: Float64Array;
  /** `[n]` */
  readonly aq: Float64Array;
  /** `q . A q`, > 0. */
  readonly curvature: number;
}

/** One iteration. */
export interface DcdmRecord {
  /** From 1. */
  readonly iteration: number;
  /** Euclidean norm of `b - A x`. */
  readonly residualNorm: number;
  /** Whether the residual itself was the direction. */
  readonly byResidual: boolean;
}

/** Where the iteration stands; a tree. */
export interface DcdmPoint {
  /** `[n]` the iterate. */
  readonly x: Float64Array;
  /** `[n]` b - A x. */
  readonly residual: Float64Array;
  /** Norms of the residuals so far, that of the first iterate first. */
  readonly norms: readonly number[];
  /** The last k directions, or all. */
  readonly directions: readonly Direction[];
  /** Whether the last direction was the residual itself. */
  readonly byResidual: boolean;
  /** Whether the last direction gained nothing. */
  readonly stagnated: boolean;
}

/** A state to go on from. */
export type DcdmState = RunState<DcdmPoint, DcdmRecord>;

/** Options of {@link dcdm}. */
export interface DcdmOptions extends RunOptions<DcdmRecord, DcdmState> {
  /** Previous directions to which a new one is made A-orthogonal, an integer >= 0. Default 2, as in the paper. */
  readonly k?: number;
  /** Converged when the norm of the residual is at most this times that of the first. Default 1e-4. */
  readonly tolerance?: number;
  /** Default 100. */
  readonly maxIterations?: number;
  /** First iterate. Default zeros. */
  readonly initial?: sparse.VectorLike;
  /**
   * `report` (default) ends with `stagnated` where a direction gains nothing. `residual` also takes the residual as the
   * direction wherever its norm is above 0.8 times the smallest one more than five iterations ago, and where the map's gains nothing.
   */
  readonly onStagnation?: "report" | "residual";
  /** Whether the result has all directions. Default false: memory for k of them. */
  readonly keepDirections?: boolean;
  /** Whether a sparse A is compared with its transpose. Default false. */
  readonly checkSymmetry?: boolean;
}

/** What {@link dcdm} gives. */
export interface DcdmResult {
  /** `[n]` */
  readonly x: Float64Array;
  /** Norm of `b - A x`. */
  readonly residualNorm: number;
  /** That of the first iterate. */
  readonly initialResidualNorm: number;
  /** How it ended; `stagnated` where a direction was orthogonal to the residual. */
  readonly status: Status | "stagnated";
  /** Iterations made, those of resumed runs included. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly DcdmRecord[];
  /** All directions, where they were to be kept. */
  readonly directions?: readonly Direction[];
  /** What a further run resumes from. */
  readonly state: DcdmState;
}

const names = [
  ...["k", "tolerance", "maxIterations", "initial", "onStagnation", "keepDirections", "checkSymmetry"],
  ...runOptionNames,
];

/** A direction with less of the residual in it gains nothing. */
const GAIN = 1e-14;
/** Iterations after which a norm counts as old, and the part of the smallest old norm above which progress is too slow. */
const OLD = 5;
const SLOW = 0.8;

/**
 * Solves `A x = b` along directions that a function, such as a network, proposes for the residual: made A-orthogonal to the
 * last k ones and followed to the exact minimum of the energy. Everything is computed in float64 from true residuals, so
 * that the answer is as exact as that of conjugate gradients, whatever the function does.
 *
 * With the identity as the function it is conjugate gradients; with `M r`, M symmetric positive definite, preconditioned ones.
 * @param b `[n]`; 0 where A has a row of zeros
 * @throws ShapeError; ValueError for values that are not finite, an A that is seen not to be positive definite, and a function
 * that gives something else than n finite numbers.
 * @see Kaneda et al., ICML 2023, arXiv 2205.10763, algorithm 1
 */
export async function dcdm(
  a: SpdMatrix,
  b: sparse.VectorLike,
  direction: DirectionMap,
  options: DcdmOptions = {},
): Promise<DcdmResult> {
  const owner = "dcdm";
  checkOptions(owner, options, names);
  const { k = 2, tolerance = 1e-4, maxIterations = 100, onStagnation = "report" } = options;
  const { keepDirections = false, checkSymmetry = false } = options;
  requireInteger(owner, "k", k, 0);
  requirePositive(owner, "tolerance", tolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireChoice(owner, "onStagnation", onStagnation, ["report", "residual"]);
  requireChoice(owner, "keepDirections", keepDirections, [true, false]);
  requireChoice(owner, "checkSymmetry", checkSymmetry, [true, false]);
  if (typeof direction !== "function")
    throw new ValueError(`${owner}: the direction map is ${typeof direction}; give a function`);
  const right = vectorOf(owner, "b", b);
  const n = right.length;
  const start = options.initial === undefined ? new Float64Array(n) : vectorOf(owner, "initial", options.initial);
  if (start.length !== n) throw new ShapeError(`${owner}: initial has length ${start.length}; it must be ${n}`);
  const apply = productWith(owner, a, n);
  if (checkSymmetry && typeof a !== "function") requireSymmetric(owner, a);
  const rows = rowsOf(a);
  const outside = rows === undefined ? -1 : right.findIndex((v, i) => v !== 0 && rows[i] === 0);
  if (outside >= 0)
    throw new ValueError(`${owner}: row ${outside} of A is zero, but b is ${right[outside]} there; give 0`);
  const product = (x: Float64Array) => {
    const out = new Float64Array(n);
    apply(x, out);
    return out;
  };
  const residualAt = (x: Float64Array) => product(x).map((v, i) => right[i] - v);
  const conjugated = (q: Float64Array, directions: readonly Direction[]): Float64Array => {
    for (const previous of directions.slice(Math.max(0, directions.length - k))) {
      addScaled(q, -dot(q, previous.aq) / previous.curvature, previous.q);
    }
    return q;
  };
  const step = async (state: DcdmPoint): Promise<DcdmPoint> => {
    const { residual, norms } = state;
    const length = norms[norms.length - 1];
    const unit = residual.map((v) => v / length);
    const gainsNothing = (q: Float64Array) => Math.abs(dot(q, residual)) <= GAIN * norm(q) * length;
    const own = () => conjugated(unit.slice(), state.directions);
    let byResidual = onStagnation === "residual" && isSlow(norms);
    let q = byResidual ? own() : conjugated(proposed(owner, await direction(unit), n, rows), state.directions);
    if (!byResidual && onStagnation === "residual" && gainsNothing(q)) {
      byResidual = true;
      q = own();
    }
    if (gainsNothing(q)) return { ...state, stagnated: true };
    const aq = product(q);
    const curvature = dot(q, aq);
    if (!(curvature > 0 && Number.isFinite(curvature))) {
      throw new ValueError(
        `${owner}: the curvature along a direction is ${curvature}; A must be symmetric positive definite, and directions finite`,
      );
    }
    const x = state.x.slice();
    addScaled(x, dot(q, residual) / curvature, q);
    const next = residualAt(x);
    const directions = [...state.directions, { q, aq, curvature }];
    return {
      x,
      residual: next,
      norms: [...norms, norm(next)],
      directions: keepDirections ? directions : directions.slice(Math.max(0, directions.length - k)),
      byResidual,
      stagnated: false,
    };
  };
  const { last, ...run } = await runLoop<DcdmPoint, DcdmRecord, "converged" | "stagnated">(
    {
      owner,
      limit: maxIterations,
      initial() {
        const residual = residualAt(start);
        return { x: start, residual, norms: [norm(residual)], directions: [], byResidual: false, stagnated: false };
      },
      step,
      record: ({ norms, byResidual }, iteration) => ({ iteration, residualNorm: norms[norms.length - 1], byResidual }),
      finished({ norms, stagnated }) {
        if (norms[norms.length - 1] <= tolerance * norms[0]) return "converged";
        return stagnated ? "stagnated" : undefined;
      },
      check({ x, residual }) {
        requireSameSystem(owner, x, residual, n, residualAt);
      },
    },
    options,
  );
  return {
    ...run,
    x: last.x,
    residualNorm: last.norms[last.norms.length - 1],
    initialResidualNorm: last.norms[0],
    ...(keepDirections && { directions: last.directions }),
  };
}

/** Whether the residual has hardly become smaller than it was before. */
function isSlow(norms: readonly number[]): boolean {
  const old = norms.slice(0, Math.max(0, norms.length - OLD));
  return old.length > 0 && norms[norms.length - 1] > SLOW * Math.min(...old);
}

function proposed(owner: string, given: Float64Array, n: number, rows: Float64Array | undefined): Float64Array {
  if (given?.length !== n) {
    throw new ValueError(`${owner}: the direction map gave ${given?.length} numbers; it must give ${n}`);
  }
  const unit = powerOfTwo(given);
  const q = Float64Array.from(given, (v, i) => (rows === undefined ? v / unit : (v * rows[i]) / unit));
  const wrong = q.findIndex((v) => !Number.isFinite(v));
  if (wrong >= 0)
    throw new ValueError(`${owner}: the direction map gave ${q[wrong]} at ${wrong}; directions must be finite`);
  return q;
}

function vectorOf(owner: string, name: string, values: sparse.VectorLike): Float64Array {
  const x = Float64Array.from(asTensor(values as never).data());
  const wrong = x.findIndex((v) => !Number.isFinite(v));
  if (wrong >= 0) throw new ValueError(`${owner}: ${name} must be finite, got ${x[wrong]} at ${wrong}`);
  return x;
}
