import {
  add,
  argMax,
  cast,
  checkOptions,
  div,
  equal,
  expandDims,
  greater,
  less,
  lessEqual,
  linalg,
  logicalAnd,
  matmul,
  max,
  min,
  mul,
  oneHot,
  reshape,
  ShapeError,
  sqrt,
  square,
  squeeze,
  stopGradient,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  transpose,
  ValueError,
  vmap,
  where,
  whileLoop,
} from "@offprint/tensor-core";
import { asFloat64 } from "../operand.js";
import type { Projection } from "./norm-sets.js";

/** A set of linear inequalities and equations. */
export interface PolyhedronOptions {
  /** `[l, n]`, a row for each. */
  readonly matrix: TensorLike;
  /** `[l]`: `matrix x <= bounds`. */
  readonly bounds: TensorLike;
  /** Which rows are equations: all, none (default), or a flag for each. Equations must not depend on each other. */
  readonly equality?: boolean | readonly boolean[];
}

/** What is left of a violation, or of a row in the span of others, by rounding; rows have norm one. */
const rounding = 1e-12;
/** How the search stands. */
const [searching, found, empty] = [0, 1, 2];

/**
 * The polyhedron `matrix x <= bounds`, exactly: a dual active-set method (Goldfarb and Idnani 1983) finds the rows that hold
 * with equality at the nearest point, and one system of theirs gives the point. An iteration solves a system of as many
 * equations as there are rows: for a few hundred. Traces to one loop and has a gradient.
 * @throws ShapeError where matrix and bounds do not fit; ValueError for a row of zeros, equations that depend on each other, and
 * where no point satisfies all.
 * @example
 * projections.polyhedron({ matrix: [[1, 1], [-1, 0]], bounds: [1, 0] })([2, 2]);
 */
export function polyhedron(options: PolyhedronOptions): Projection {
  const owner = "projections.polyhedron";
  checkOptions(owner, options, ["matrix", "bounds", "equality"], ["matrix", "bounds"]);
  const [matrix, bounds] = [asFloat64(options.matrix), asFloat64(options.bounds)];
  const [count, size] = matrix.shape;
  if (matrix.rank !== 2 || bounds.rank !== 1 || bounds.size !== count) {
    throw new ShapeError(`${owner}: matrix has shape [${matrix.shape}], bounds [${bounds.shape}]; give [l, n], [l]`);
  }
  const { equality = false } = options;
  if (typeof equality !== "boolean" && equality.length !== count) {
    throw new ShapeError(`${owner}: equality has ${equality.length} entries for ${count} rows; give one for each`);
  }
  const norms = linalg.norm(matrix, { axis: 1 });
  const zero = norms.data().indexOf(0);
  if (zero >= 0) throw new ValueError(`${owner}: row ${zero} of matrix is zero; leave it out`);
  const flags = Array.from({ length: count }, (_, i) => (typeof equality === "boolean" ? equality : equality[i]));
  const rows = div(matrix, expandDims(norms, 1));
  const system: System = {
    rows,
    bounds: div(bounds, norms),
    gram: matmul(rows, transpose(rows)),
    equations: tensor(Float64Array.from(flags, Number), { dtype: matrix.dtype }),
  };
  const project = (x: Tensor): Tensor =>
    touching(system, x, cast(activeRows(system, stopGradient(x)).active, x.dtype)).point;
  if (count > 0) checkSystem(owner, system);
  return (x) => {
    const point = asFloat64(x);
    if (point.shape[point.rank - 1] !== size) {
      throw new ShapeError(`${owner}: x has shape [${point.shape}]; its last axis must have ${size} entries`);
    }
    if (count === 0) return point;
    if (point.rank === 1) return project(point);
    return reshape(vmap(project)(reshape(point, [-1, size])), point.shape);
  };
}

interface System {
  /** `[l, n]` of norm one. */
  readonly rows: Tensor;
  readonly bounds: Tensor;
  /** `rows rows^T`, `[l, l]`. */
  readonly gram: Tensor;
  /** `[l]`, 1 for an equation. */
  readonly equations: Tensor;
}

/** @throws ValueError for equations that depend on each other, and where no point satisfies all rows */
function checkSystem(owner: string, system: System): void {
  const { equations, gram, rows } = system;
  const chosen = Array.from(equations.data().keys()).filter((i) => equations.data()[i] === 1);
  if (chosen.length > 0) {
    const at = tensor(Int32Array.from(chosen), { dtype: "int32" });
    const { values } = linalg.eigh(take(take(gram, at, 0), at, 1));
    if (values.data()[0] < rounding) {
      throw new ValueError(`${owner}: equations depend on each other; leave those away that follow from others`);
    }
  }
  const origin = tensor(new Float64Array(rows.shape[1]), { dtype: rows.dtype });
  if (activeRows(system, origin).state.item() !== empty) return;
  const count = equations.size;
  throw new ValueError(`${owner}: no point satisfies all ${count} rows; take one of them away, or widen its bound`);
}

/** `v` with `gram v = right` over the active rows (1, others 0), and zero elsewhere. */
function solved({ gram }: System, active: Tensor, right: Tensor): Tensor {
  const inside = mul(expandDims(active, 0), expandDims(active, 1));
  const l = active.size;
  const identity = tensor(
    Float64Array.from({ length: l * l }, (_, k) => (k % (l + 1) === 0 ? 1 : 0)),
    { shape: [l, l], dtype: gram.dtype },
  );
  const masked = add(mul(gram, inside), mul(identity, sub(1, expandDims(active, 1))));
  return squeeze(linalg.solve(masked, expandDims(mul(active, right), 1)), 1);
}

/** The nearest point at which the active rows hold with equality, and its multipliers. */
function touching(system: System, x: Tensor, active: Tensor): { point: Tensor; multipliers: Tensor } {
  const { rows, bounds } = system;
  const multipliers = solved(system, active, sub(matmul(rows, x), bounds));
  return { point: sub(x, matmul(multipliers, rows)), multipliers };
}

interface Search {
  /** `[l]`, 1 for the rows that hold with equality. */
  readonly active: Tensor;
  /** `[l]`, their multipliers, and that of the row that is being added. */
  readonly multipliers: Tensor;
  /** `[l]`, 1 at the row that is being added, or zeros. */
  readonly entering: Tensor;
  readonly state: Tensor;
  readonly count: Tensor;
}

/** The rows that hold with equality at the point nearest to x. */
function activeRows(system: System, x: Tensor): { active: Tensor; state: Tensor } {
  const { rows, bounds, gram, equations } = system;
  const l = bounds.size;
  const number = (value: number) => tensor(value, { dtype: x.dtype });
  const scale = add(1, max(add(mul(x, x), 0)));
  const tolerance = mul(rounding, add(sqrt(scale), max(where(greater(bounds, 0), bounds, mul(bounds, -1)))));
  const infinity = Number.POSITIVE_INFINITY;
  const body = ({ active, multipliers, entering, count }: Search): Search => {
    const point = sub(x, matmul(multipliers, rows));
    const excess = sub(matmul(rows, point), bounds);
    const outside = where(greater(add(active, equations), 0), -infinity, excess);
    // A row that is violated, or the one on its way in.
    const begun = greater(sum(entering), 0);
    const row = where(begun, entering, oneHot(argMax(outside), l, { dtype: x.dtype }));
    const violation = sum(mul(row, excess));
    const done = lessEqual(violation, tolerance);
    // Along which its multiplier grows, and the others change so that they stay what they are.
    const slope = solved(system, active, matmul(gram, row));
    const way = sub(matmul(row, rows), matmul(slope, rows));
    const squares = sum(square(way));
    const free = greater(squares, rounding);
    const blocking = logicalAnd(greater(mul(active, sub(1, equations)), 0), greater(slope, rounding));
    const steps = where(blocking, div(multipliers, where(blocking, slope, 1)), infinity);
    const least = min(steps);
    const full = where(free, div(violation, where(free, squares, 1)), infinity);
    const step = where(less(least, full), least, full);
    const impossible = equal(step, infinity);
    const length = where(impossible, 0, step);
    const moved = add(multipliers, mul(length, sub(row, slope)));
    const blocked = less(least, full);
    const leaving = where(blocked, oneHot(argMax(mul(steps, -1)), l, { dtype: x.dtype }), mul(row, 0));
    const stays = sub(1, leaving);
    return {
      active: where(done, active, add(mul(active, stays), where(blocked, mul(row, 0), row))),
      multipliers: where(done, multipliers, mul(moved, stays)),
      entering: where(blocked, row, mul(row, 0)),
      state: where(done, number(found), where(impossible, number(empty), number(searching))),
      count: add(count, 1),
    };
  };
  const nothing = mul(equations, 0);
  const first: Search = {
    active: equations,
    multipliers: touching(system, x, equations).multipliers,
    entering: nothing,
    state: number(searching),
    count: tensor(0, { dtype: "int32" }),
  };
  const limit = 20 * l + 100;
  return whileLoop(({ state, count }: Search) => logicalAnd(equal(state, searching), less(count, limit)), body, first);
}
