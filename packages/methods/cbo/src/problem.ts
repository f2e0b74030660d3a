import {
  asTensor,
  checkOptions,
  clip,
  DTypeError,
  hostTensor,
  requireFunction,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { type Evaluator, evaluatorOf, type Objective } from "./objective.js";

/** What is to be minimised, and where. */
export interface CboProblem {
  /** The function E. */
  readonly objective: Objective;
  /** Number of coordinates d. Needed unless bounds, particles or a start have it. */
  readonly dimension?: number;
  /** A box: particles that leave it are put back onto its boundary. Infinite bounds are none. */
  readonly bounds?:
    | {
        /** `[d]`, or a number for every coordinate. */
        readonly lower: TensorLike;
        /** `[d]` or a number, not below `lower`. */
        readonly upper: TensorLike;
      }
    /** Lower and upper bound of each coordinate. */
    | readonly (readonly [lower: number, upper: number])[];
  /**
   * Any other constraint: maps particles `[n, d]` into the feasible set, such as `(V) => V / ||V||` for a sphere. Applied
   * to the first particles and after every step, before the bounds. In operations of tensors.
   */
  readonly project?: (particles: Tensor) => Tensor;
}

/** @internal The box as plain numbers. */
export interface Box {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** @internal A checked problem. */
export interface SettledProblem {
  readonly evaluator: Evaluator;
  readonly dimension: number;
  readonly box: Box | undefined;
  readonly project: CboProblem["project"];
}

/** @internal Checks a problem; the last axis of a hint that has one is the dimension. Hints have their names, for messages. */
export function settleProblem(
  owner: string,
  problem: CboProblem,
  hints: Readonly<Record<string, TensorLike | undefined>>,
): SettledProblem {
  if (typeof problem !== "object" || problem === null) {
    throw new ValueError(`${owner}: the problem is ${String(problem)}; give { objective, dimension }`);
  }
  checkOptions(owner, problem, ["objective", "dimension", "bounds", "project"]);
  const evaluator = evaluatorOf(owner, problem.objective);
  const sides = problem.bounds === undefined ? undefined : sidesOf(owner, problem.bounds);
  if (problem.project !== undefined) requireFunction(owner, "project", problem.project);
  const shaped = Object.entries({ ...hints, ...sides }).map(([name, x]) =>
    x === undefined ? undefined : vectorOf(owner, name, x),
  );
  const known = shaped.find((x) => x !== undefined && x.rank > 0);
  const dimension = problem.dimension ?? known?.shape[known.rank - 1];
  if (dimension === undefined) {
    throw new ValueError(`${owner}: the number of coordinates is not known; give dimension`);
  }
  if (!Number.isSafeInteger(dimension) || dimension < 1) {
    throw new ValueError(`${owner}: dimension is ${String(dimension)}; it must be an integer >= 1`);
  }
  const box = sides && boxOf(owner, sides.lower, sides.upper, dimension);
  return { evaluator, dimension, box, project: problem.project };
}

/** Bounds of either form as two vectors or numbers. */
function sidesOf(owner: string, bounds: NonNullable<CboProblem["bounds"]>): { lower: Tensor; upper: Tensor } {
  if (!Array.isArray(bounds)) {
    checkOptions(`${owner}: bounds`, bounds, ["lower", "upper"]);
    const { lower, upper } = (bounds ?? {}) as { lower?: TensorLike; upper?: TensorLike };
    if (lower === undefined || upper === undefined) {
      throw new ValueError(`${owner}: bounds need both sides; give { lower, upper } or [[lower, upper], ...]`);
    }
    return { lower: vectorOf(owner, "bounds.lower", lower), upper: vectorOf(owner, "bounds.upper", upper) };
  }
  const pairs: readonly (readonly number[])[] = bounds;
  const odd = pairs.findIndex((pair) => !Array.isArray(pair) || pair.length !== 2);
  if (odd >= 0 || pairs.length === 0) {
    throw new ShapeError(
      `${owner}: bounds[${Math.max(odd, 0)}] is ${String(pairs[odd])}; give [lower, upper] for every coordinate, or { lower, upper }`,
    );
  }
  const side = (at: 0 | 1) =>
    vectorOf(
      owner,
      "bounds",
      pairs.map((pair) => pair[at]),
    );
  return { lower: side(0), upper: side(1) };
}

/** @internal Plain numbers and arrays in float64; tensors as they are. */
export function vectorOf(owner: string, name: string, x: TensorLike): Tensor {
  try {
    return typeof x === "number" || Array.isArray(x) ? asTensor(x, "float64") : asTensor(x);
  } catch (error) {
    if (!(error instanceof DTypeError || error instanceof ShapeError)) throw error;
    const Kind = error instanceof ShapeError ? ShapeError : DTypeError;
    throw new Kind(`${owner}: ${name} cannot be read: ${error.message}`, { cause: error });
  }
}

/** @internal A number or `[d]` spread over d coordinates. */
export function perCoordinate(owner: string, name: string, x: TensorLike, d: number): Float64Array {
  const t = vectorOf(owner, name, x);
  if (t.rank === 0) return new Float64Array(d).fill(t.item());
  if (t.rank !== 1 || t.shape[0] !== d) {
    throw new ShapeError(`${owner}: ${name} has shape [${t.shape}]; give a number, or one per coordinate, [${d}]`);
  }
  return Float64Array.from(t.data());
}

function boxOf(owner: string, low: Tensor, high: Tensor, d: number): Box {
  const lower = perCoordinate(owner, "bounds.lower", low, d);
  const upper = perCoordinate(owner, "bounds.upper", high, d);
  const bad = lower.findIndex((value, j) => !(value <= upper[j]));
  if (bad >= 0) {
    throw new ValueError(
      `${owner}: bounds of coordinate ${bad} are ${lower[bad]} and ${upper[bad]}; lower must not exceed upper`,
    );
  }
  const wide = lower.findIndex((low, j) => low > -Infinity && upper[j] < Infinity && upper[j] - low === Infinity);
  if (wide >= 0) {
    throw new ValueError(
      `${owner}: bounds of coordinate ${wide} are ${lower[wide]} and ${upper[wide]}, further apart than numbers reach; give narrower ones, or infinite ones for none`,
    );
  }
  return { lower, upper };
}

/** @internal The particles put back into the feasible set; the same tensor where there is no constraint. */
export function feasible({ box, project }: SettledProblem, particles: Tensor, owner: string): Tensor {
  let inside = particles;
  if (project !== undefined) {
    inside = asTensor(project(particles), particles.dtype);
    if (inside.rank !== 2 || inside.shape.some((extent, axis) => extent !== particles.shape[axis])) {
      throw new ShapeError(
        `${owner}: project returned shape [${inside.shape}] for particles of shape [${particles.shape}]; keep the shape`,
      );
    }
  }
  if (box === undefined) return inside;
  const side = (x: Float64Array) => hostTensor(x, [x.length], "float64");
  return clip(inside, asTensor(side(box.lower), particles.dtype), asTensor(side(box.upper), particles.dtype));
}

/** @internal Throws where options are missing altogether, or one that is needed. */
export function requireGiven(owner: string, options: object | undefined, names: readonly string[]): void {
  const missing = names.find((name) => (options as Record<string, unknown> | undefined)?.[name] === undefined);
  if (missing === undefined) return;
  throw new ValueError(`${owner}: ${missing} is missing; give { ${names.join(", ")} }`);
}

/**
 * @internal The width of a box whose bounds are all finite, `[d]`. A coordinate that is held by equal bounds gets the width
 * of the widest, as nothing moves along it.
 */
export function widthOf({ box }: SettledProblem): number[] | undefined {
  const widths = box && Array.from(box.upper, (upper, j) => upper - box.lower[j]);
  const widest = Math.max(0, ...(widths ?? []));
  if (!(widest > 0 && widest < Infinity)) return undefined;
  return widths?.map((width) => width || widest);
}

/** @internal Tensors are read in memory, as `[..., d]` of one dtype. */
export function readTensor(owner: string, name: string, x: TensorLike): Tensor {
  const t = vectorOf(owner, name, x);
  const values = t.data();
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new ValueError(`${owner}: ${name} holds ${values[i]}; it must be finite`);
  }
  return t;
}
