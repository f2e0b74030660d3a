import {
  add,
  hostTensor,
  jitSync,
  maximum,
  minimum,
  mul,
  sub,
  sum,
  type Tensor,
  type TreeFunction,
  tree,
} from "@offprint/tensor-core";
import type { LinearMap, Numbers } from "./linear-map.js";
import type { Lines } from "./lines.js";
import {
  areFinite,
  type Precision,
  relativeError,
  requireFiniteBounds,
  smallestNormal,
  underflow,
} from "./rounding.js";

/** @internal A step of a chain: a variable v is replaced by its lines in the one before, and that one multiplied out. */
export interface ChainStage {
  readonly lines: Lines;
  /** v's argument is `M w + bias`, w the next variable: M is W of the map, or W^T. */
  readonly map: LinearMap;
  readonly by: "W" | "WT";
  readonly bias?: Tensor;
  /** `[batch, m]` largest |w|. */
  readonly next: Float64Array;
}

/** @internal Rows of a linear functional of a variable, and how the variable comes from an interval. */
export interface ChainProblem {
  readonly batch: number;
  /** `[rows, n]`, or `[batch, rows, n]`. */
  readonly rows: Tensor;
  /** `[rows]` */
  readonly offset?: Tensor;
  readonly stages: readonly ChainStage[];
  /** `[batch, m]`: the last variable lies between these. */
  readonly lo: Float64Array;
  readonly hi: Float64Array;
}

/** @internal `[batch, rows]` bounds that hold in exact arithmetic. */
export interface ChainBounds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** @internal Bounds, and the coefficients of the upper ones on the way. */
export interface ExplainedBounds extends ChainBounds {
  /** `[batch, rows, m]` for each stage: the functional of w. */
  readonly coefficients: readonly Float64Array[];
}

interface StageTensors {
  readonly us: Tensor;
  readonly ui: Tensor;
  readonly ls: Tensor;
  readonly li: Tensor;
  readonly upperSlopes: Tensor;
  readonly lowerSlopes: Tensor;
  readonly argument: Tensor;
  readonly numbers: Numbers;
  readonly magnitudes: Numbers;
  readonly bias?: Tensor;
  readonly next: Tensor;
}

/** @internal What compiled functions are given of a chain. */
export interface ChainTensors {
  readonly rows: Tensor;
  readonly offset?: Tensor;
  readonly stages: readonly StageTensors[];
  readonly lo: Tensor;
  readonly hi: Tensor;
}

const magnitude = (a: Tensor, b: Tensor): Tensor => maximum(maximum(a, mul(a, -1)), maximum(b, mul(b, -1)));

/**
 * The mathematics of the package: `A v <= A+ (us w + ui) + A- (ls w + li)`, again and again, until the variable is one
 * whose interval is known. Products are rounded: what a computed matrix differs from the exact one by, times the largest
 * value of what it multiplies, is added to the bound. So a bound is one of the network with the given weights. Coefficients
 * too small for all of their digits are counted as the smallest that has them, as what they multiply may be large.
 */
function pushThrough(
  maps: readonly Pick<ChainStage, "map" | "by">[],
  { rows, offset, stages, lo, hi }: ChainTensors,
): { lower: Tensor; upper: Tensor; coefficients: Tensor[] } {
  const widest = Math.max(...maps.map(({ map }) => map.terms), rows.shape[rows.rank - 1]);
  const precision = rows.dtype as Precision;
  const error = relativeError(widest + 8 * stages.length, precision);
  const least = smallestNormal[precision];
  const errorOf = (a: Tensor, size: Tensor) => mul(total(mul(add(magnitude(a, a), least), size)), error);
  const total = (x: Tensor) => sum(x, { axis: -1 });
  const positive = (a: Tensor) => maximum(a, 0);
  const negative = (a: Tensor) => minimum(a, 0);
  const walk = (up: boolean) => {
    let A = rows;
    let c: Tensor | undefined = offset;
    let room: Tensor | undefined = offset === undefined ? undefined : mul(magnitude(offset, offset), error);
    const plus = (x: Tensor | undefined, y: Tensor) => (x === undefined ? y : add(x, y));
    const coefficients: Tensor[] = [];
    for (const [k, stage] of stages.entries()) {
      const { us, ui, ls, li, argument, numbers, magnitudes, bias, next } = stage;
      const { map, by } = maps[k];
      const [along, against] = by === "W" ? [map.pull, map.push] : [map.push, map.pull];
      const other = up ? stage.upperSlopes : stage.lowerSlopes;
      const [P, N] = up ? [positive(A), negative(A)] : [negative(A), positive(A)];
      const reach = add(argument, against(magnitudes, next));
      const steep = maximum(magnitude(us, ls), magnitude(stage.upperSlopes, stage.lowerSlopes));
      const rounding = add(
        magnitude(ui, li),
        mul(steep, bias === undefined ? reach : add(reach, magnitude(bias, bias))),
      );
      c = plus(c, total(add(mul(P, ui), mul(N, li))));
      room = plus(room, errorOf(A, rounding));
      A = add(mul(P, us), mul(N, other));
      if (bias !== undefined) c = add(c, total(mul(A, bias)));
      A = along(numbers, A);
      coefficients.push(A);
    }
    const [P, N] = up ? [positive(A), negative(A)] : [negative(A), positive(A)];
    const end = total(add(mul(P, hi), mul(N, lo)));
    room = plus(room, errorOf(A, magnitude(lo, hi)));
    c = plus(c, end);
    const whole = add(add(room, mul(magnitude(c, c), error)), underflow[precision]);
    return { bound: up ? add(c, whole) : sub(c, whole), coefficients };
  };
  const upper = walk(true);
  return { lower: walk(false).bound, upper: upper.bound, coefficients: upper.coefficients };
}

/**
 * @internal Functions of chains that are compiled: `make` gives one for chains through such maps. Maps that are alike share
 * what was compiled.
 */
export function compiledChains<F extends TreeFunction>(
  make: (push: (chain: ChainTensors) => ReturnType<typeof pushThrough>) => F,
): (stages: readonly ChainStage[]) => F {
  const made = new Map<string, F>();
  return (stages) => {
    const key = stages.map(({ map, by }) => `${by} of ${map.key}`).join("; ");
    let found = made.get(key);
    if (found === undefined) {
      const maps = stages.map(({ map, by }) => ({ map, by }));
      found = jitSync(make((chain) => pushThrough(maps, chain))) as unknown as F;
      made.set(key, found);
    }
    return found;
  };
}

const explained = compiledChains((push) => push);
const boundsOf = compiledChains((push) => (chain: ChainTensors) => {
  const { lower, upper } = push(chain);
  return { lower, upper };
});

const narrowed = new WeakMap<Tensor, Tensor>();

/** A tensor in a precision, made once. */
function inPrecision(x: Tensor, precision: Precision): Tensor {
  if (x.dtype === precision) return x;
  const known = narrowed.get(x);
  if (known !== undefined) return known;
  const made = x.cast(precision);
  narrowed.set(x, made);
  return made;
}

/** @internal The tensors of a chain, `[batch, 1, n]`: wider by what is too small for the precision. */
export function chainTensors(
  { batch, rows, offset, stages, lo, hi }: ChainProblem,
  precision: Precision = "float64",
): ChainTensors {
  const own = (x: Tensor) => inPrecision(x, precision);
  const least = smallestNormal[precision];
  const up = (values: Float64Array, by = least) => wide(values.map((value) => value + by));
  const down = (values: Float64Array) => up(values, -least);
  const wide = (values: Float64Array) => {
    const shape = [batch, 1, values.length / batch];
    return precision === "float64"
      ? hostTensor(values, shape, precision)
      : hostTensor(Float32Array.from(values), shape, precision);
  };
  return {
    rows: own(rows),
    ...(offset !== undefined && { offset: own(offset) }),
    stages: stages.map(({ lines, map, bias, next }) => {
      const ls = wide(lines.ls);
      return {
        us: wide(lines.us),
        ui: up(lines.ui),
        ls,
        li: down(lines.li),
        upperSlopes: ls,
        lowerSlopes: ls,
        // Weights that vanish in the precision, times the largest of what they multiply.
        argument: up(lines.argument, least * (1 + next.reduce((sum, value) => sum + value, 0))),
        numbers: tree.map(own, map.numbers),
        magnitudes: tree.map(own, map.magnitudes),
        ...(bias !== undefined && { bias: own(bias) }),
        next: wide(next),
      };
    }),
    lo: down(lo),
    hi: up(hi),
  };
}

/** Values of a result in float64. */
const exact = (x: Tensor): Float64Array => {
  const values = x.data();
  return values instanceof Float64Array ? values : Float64Array.from(values);
};

/** Rows of all branches that are bounded at a time: more of them take memory, and no less time. */
const TOGETHER = 512;

/**
 * @internal Runs a chain of rows `[rows, n]`, compiled, some rows at a time. What overflows in float32 is bounded in float64.
 */
export function boundChain(problem: ChainProblem, precision: Precision = "float64"): ChainBounds {
  const { batch } = problem;
  const tensors = chainTensors(problem, precision);
  const bounds = boundsOf(problem.stages);
  const { rows, offset } = tensors;
  const [all, n] = rows.shape;
  const [values, offsets] = [rows.data(), offset?.data()];
  const pieces = Math.ceil((batch * all) / TOGETHER);
  const size = Math.ceil(all / pieces);
  const found = { lower: new Float64Array(batch * all), upper: new Float64Array(batch * all) };
  for (let start = 0; start < all; start += size) {
    // All pieces have one shape, and so one compiled function: the last one overlaps.
    const first = Math.min(start, all - size);
    const last = first + size;
    const own = bounds({
      ...tensors,
      rows: hostTensor(values.subarray(first * n, last * n), [size, n], precision),
      ...(offsets !== undefined && { offset: hostTensor(offsets.subarray(first, last), [size], precision) }),
    });
    for (const side of ["lower", "upper"] as const) {
      const each = exact(own[side]);
      for (let b = 0; b < batch; b++) found[side].set(each.subarray(b * size, (b + 1) * size), b * all + first);
    }
  }
  if (precision !== "float64" && !areFinite(found.lower, found.upper)) return boundChain(problem);
  requireFiniteBounds(found.lower, found.upper);
  return found;
}

/** @internal The same, and the coefficients of the upper bounds. */
export function explainChain(problem: ChainProblem, precision: Precision = "float64"): ExplainedBounds {
  const { lower, upper, coefficients } = explained(problem.stages)(chainTensors(problem, precision));
  const found = { lower: exact(lower), upper: exact(upper) };
  if (precision !== "float64" && !areFinite(found.lower, found.upper)) return explainChain(problem);
  requireFiniteBounds(found.lower, found.upper);
  return { ...found, coefficients: coefficients.map(exact) };
}
