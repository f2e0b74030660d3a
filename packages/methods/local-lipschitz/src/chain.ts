import { add, hostTensor, jitSync, matmul, maximum, minimum, mul, sub, sum, type Tensor } from "@offprint/tensor-core";
import type { Lines } from "./lines.js";
import { type Precision, relativeError, underflow } from "./rounding.js";

/** @internal A step of a chain: a variable v is replaced by its lines in the one before, and that one multiplied out. */
export interface ChainStage {
  readonly lines: Lines;
  /** `[n, m]`: v's argument is `M w + bias`, w the next variable. */
  readonly matrix: Tensor;
  /** |M|^T `[m, n]` */
  readonly magnitudes: Tensor;
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

/** @internal `[batch, rows]` bounds that hold in exact arithmetic, and the coefficients of the upper one on the way. */
export interface ChainBounds {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
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
  readonly matrix: Tensor;
  readonly magnitudes: Tensor;
  readonly bias?: Tensor;
  readonly next: Tensor;
}

interface ChainTensors {
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
 * value of what it multiplies, is added to the bound. So a bound is one of the network with the given weights.
 */
export function pushThrough({ rows, offset, stages, lo, hi }: ChainTensors): {
  lower: Tensor;
  upper: Tensor;
  coefficients: Tensor[];
} {
  const widest = Math.max(...stages.map(({ matrix }) => Math.max(...matrix.shape)), rows.shape[rows.rank - 1]);
  const precision = rows.dtype as Precision;
  const error = relativeError(widest + 8 * stages.length, precision);
  const total = (x: Tensor) => sum(x, { axis: -1 });
  const positive = (a: Tensor) => maximum(a, 0);
  const negative = (a: Tensor) => minimum(a, 0);
  const walk = (up: boolean) => {
    let A = rows;
    let c: Tensor | undefined = offset;
    let room: Tensor | undefined = offset === undefined ? undefined : mul(magnitude(offset, offset), error);
    const plus = (x: Tensor | undefined, y: Tensor) => (x === undefined ? y : add(x, y));
    const coefficients: Tensor[] = [];
    for (const stage of stages) {
      const { us, ui, ls, li, argument, matrix, magnitudes, bias, next } = stage;
      const other = up ? stage.upperSlopes : stage.lowerSlopes;
      const [P, N] = up ? [positive(A), negative(A)] : [negative(A), positive(A)];
      const reach = add(argument, matmul(next, magnitudes));
      const steep = maximum(magnitude(us, ls), magnitude(stage.upperSlopes, stage.lowerSlopes));
      const rounding = add(
        magnitude(ui, li),
        mul(steep, bias === undefined ? reach : add(reach, magnitude(bias, bias))),
      );
      c = plus(c, total(add(mul(P, ui), mul(N, li))));
      room = plus(room, mul(total(mul(magnitude(A, A), rounding)), error));
      A = add(mul(P, us), mul(N, other));
      if (bias !== undefined) c = add(c, total(mul(A, bias)));
      A = matmul(A, matrix);
      coefficients.push(A);
    }
    const [P, N] = up ? [positive(A), negative(A)] : [negative(A), positive(A)];
    const end = total(add(mul(P, hi), mul(N, lo)));
    room = plus(room, mul(total(mul(magnitude(A, A), magnitude(lo, hi))), error));
    c = plus(c, end);
    const whole = add(add(room, mul(magnitude(c, c), error)), underflow[precision]);
    return { bound: up ? add(c, whole) : sub(c, whole), coefficients };
  };
  const upper = walk(true);
  return { lower: walk(false).bound, upper: upper.bound, coefficients: upper.coefficients };
}

const compiled = jitSync(pushThrough as (chain: ChainTensors) => ReturnType<typeof pushThrough>);

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

/** @internal The tensors of a chain, `[batch, 1, n]`. */
export function chainTensors(
  { batch, rows, offset, stages, lo, hi }: ChainProblem,
  precision: Precision = "float64",
): ChainTensors {
  const own = (x: Tensor) => inPrecision(x, precision);
  const wide = (values: Float64Array) => {
    const shape = [batch, 1, values.length / batch];
    return precision === "float64"
      ? hostTensor(values, shape, precision)
      : hostTensor(Float32Array.from(values), shape, precision);
  };
  return {
    rows: own(rows),
    ...(offset !== undefined && { offset: own(offset) }),
    stages: stages.map(({ lines, matrix, magnitudes, bias, next }) => {
      const ls = wide(lines.ls);
      return {
        us: wide(lines.us),
        ui: wide(lines.ui),
        ls,
        li: wide(lines.li),
        upperSlopes: ls,
        lowerSlopes: ls,
        argument: wide(lines.argument),
        matrix: own(matrix),
        magnitudes: own(magnitudes),
        ...(bias !== undefined && { bias: own(bias) }),
        next: wide(next),
      };
    }),
    lo: wide(lo),
    hi: wide(hi),
  };
}

/** @internal Runs a chain, compiled. What overflows in float32 is bounded in float64. */
export function boundChain(problem: ChainProblem, precision: Precision = "float64"): ChainBounds {
  const { lower, upper, coefficients } = compiled(chainTensors(problem, precision));
  const values = (x: Tensor) => Float64Array.from(x.data());
  const found = { lower: values(lower), upper: values(upper), coefficients: coefficients.map(values) };
  if (precision === "float32" && ![found.lower, found.upper].every((each) => each.every(Number.isFinite)))
    return boundChain(problem);
  return found;
}
