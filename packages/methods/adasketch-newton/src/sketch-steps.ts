import {
  add,
  div,
  dot,
  expandDims,
  eye,
  greater,
  jitSync,
  less,
  linalg,
  logicalAnd,
  matmul,
  mul,
  type random,
  scan,
  slice,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
  vmap,
  where,
  whileLoop,
  zeros,
} from "@offprint/tensor-core";
import { callSize, drawSketches, type Sketch } from "./sketch.js";

/** Products with K of one vector: what is computed from a context of tensors, so that it can be compiled once. */
export type SaddleProduct = (context: readonly Tensor[], v: Tensor) => Tensor;

/**
 * What products are: with a symmetric matrix, the first of the context; operations of tensors; or calls of a function of
 * numbers, whose steps are made one by one.
 */
export type ProductForm = "matrix" | "traced" | "called";

/** K of a linear system. */
export interface SketchedMatrix {
  /** What products are computed from; the matrix alone, where there is one. */
  readonly context: readonly Tensor[];
  /** `[d, d]` K itself, where it is formed. */
  readonly matrix?: Tensor;
}

/** @internal Where a sketching solver stands. */
export interface Sketched {
  /** `[d]` the solution so far. */
  readonly D: Tensor;
  /** ||K D + right||. */
  readonly residual: number;
  /** Steps made by this call. */
  readonly steps: number;
}

interface Looped {
  readonly D: Tensor;
  readonly residual: Tensor;
  readonly passes: Tensor;
}

type Pass = (context: readonly Tensor[], right: Tensor, D: Tensor, r: Tensor, sketch: Tensor) => [D: Tensor, r: Tensor];

const float = (value: number) => tensor(value, { dtype: "float64" });
const whole = (value: number) => tensor(value, { dtype: "int32" });

/**
 * @internal A sketching solver of `K D + right = 0` for any K of one size: a compiled loop of passes that ends where
 * the residual is small enough.
 */
export class SketchSolver {
  readonly #owner: string;
  readonly #sketch: Sketch;
  readonly #product: SaddleProduct;
  readonly #loop: (...args: LoopArguments) => Looped;
  readonly #compiled: boolean;
  readonly #release: () => void;

  constructor(owner: string, sketch: Sketch, product: SaddleProduct, form: ProductForm) {
    this.#owner = owner;
    this.#sketch = sketch;
    this.#product = product;
    this.#compiled = form !== "called";
    const own = form === "traced" ? jitSync(loopOf(passOf(sketch.kind, product, form), product)) : undefined;
    this.#release = () => own?.release();
    this.#loop =
      own ?? (form === "matrix" ? matrixLoop(sketch.kind) : loopOf(passOf(sketch.kind, product, form), product));
  }

  /** Frees what was compiled for this problem alone. */
  release(): void {
    this.#release();
  }

  /**
   * Goes on from D until the norm of the residual is at most `threshold`, for as many steps as one call makes and
   * `limit` allows.
   */
  advance(
    K: SketchedMatrix,
    right: Tensor,
    at: { readonly D: Tensor; readonly steps: number },
    end: { readonly threshold: number; readonly limit: number },
    rng: random.Rng,
  ): Sketched {
    const d = right.size;
    const { passes, stepsPerPass } = callSize(this.#sketch, d, this.#compiled);
    const weights = K.matrix === undefined ? undefined : sum(square(K.matrix), 1);
    const draws = drawSketches(this.#owner, this.#sketch, rng, d, passes, at.steps, weights);
    const most = Math.min(passes, Math.ceil((end.limit - at.steps) / stepsPerPass));
    const context = this.#sketch.kind === "kaczmarz" ? [K.matrix as Tensor, weights as Tensor] : [...K.context];
    const result = this.#loop(context, right, at.D, draws, float(end.threshold), whole(most));
    return { D: result.D, residual: result.residual.item(), steps: result.passes.item() * stepsPerPass };
  }

  /** ||K D + right||. */
  residual(K: SketchedMatrix, right: Tensor, D: Tensor): number {
    return linalg.norm(add(this.#product(K.context, D), right)).item();
  }
}

type LoopArguments = [
  context: readonly Tensor[],
  right: Tensor,
  D: Tensor,
  draws: Tensor,
  threshold: Tensor,
  most: Tensor,
];

/** @internal K v where K is a matrix, the first of the context. */
export const matrixProduct: SaddleProduct = ([K], v) => matmul(K, v);

/** The loops for matrices, which all problems share: one for each way of sketching, compiled once for each size. */
const matrixLoops = new Map<Sketch["kind"], (...args: LoopArguments) => Looped>();

function matrixLoop(kind: Sketch["kind"]): (...args: LoopArguments) => Looped {
  let loop = matrixLoops.get(kind);
  if (loop === undefined) {
    loop = jitSync(loopOf(passOf(kind, matrixProduct, "matrix"), matrixProduct));
    matrixLoops.set(kind, loop);
  }
  return loop;
}

/** Passes while the residual is above the threshold. It is computed from scratch where a call begins. */
function loopOf(pass: Pass, product: SaddleProduct) {
  return (...[context, right, D0, draws, threshold, most]: LoopArguments): Looped => {
    const r0 = add(product(context, D0), right);
    const [D, , residual, passes] = whileLoop(
      ([, , norm, used]: [Tensor, Tensor, Tensor, Tensor]) => logicalAnd(greater(norm, threshold), less(used, most)),
      ([D, r, , used]: [Tensor, Tensor, Tensor, Tensor]): [Tensor, Tensor, Tensor, Tensor] => {
        const [next, remaining] = pass(context, right, D, r, take(draws, used, 0));
        return [next, remaining, linalg.norm(remaining), add(used, 1)];
      },
      [D0, r0, linalg.norm(r0), whole(0)],
    );
    return { D, residual, passes };
  };
}

function passOf(kind: Sketch["kind"], product: SaddleProduct, form: ProductForm): Pass {
  /** (K S)^T, one row after the other. */
  const rowsOf = (context: readonly Tensor[], S: Tensor): Tensor => {
    if (form === "matrix") return matmul(transpose(S), context[0]);
    if (form === "traced") return vmap((v: Tensor) => product(context, v), { inAxes: 1 })(S);
    return stack(Array.from({ length: S.shape[1] }, (_, j) => product(context, slice(S, [null, j]))));
  };
  switch (kind) {
    case "kaczmarz":
      return kaczmarzPass;
    case "gaussian":
      return (context, _, D, r, s) => {
        const v = product(context, s);
        const step = quotient(dot(s, r), dot(v, v));
        return [sub(D, mul(step, v)), sub(r, mul(step, product(context, v)))];
      };
    case "exact":
      // A second pass is iterative refinement.
      return ([K], right, D, r) => {
        const next = sub(D, linalg.solve(K, r));
        return [next, add(matmul(K, next), right)];
      };
    default:
      return (context, _, D, r, S) => {
        const correction = blockCorrection(rowsOf(context, S), S, r);
        return [sub(D, correction), sub(r, product(context, correction))];
      };
  }
}

/** d steps, each onto one equation: only D is kept, and the residual is made of it at the end. */
function kaczmarzPass(
  [K, squares]: readonly Tensor[],
  right: Tensor,
  D: Tensor,
  _: Tensor,
  rows: Tensor,
): [Tensor, Tensor] {
  const [next] = scan(
    (x: Tensor, i: Tensor): [Tensor, null] => {
      const row = take(K, i, 0);
      const step = quotient(add(dot(row, x), take(right, i, 0)), take(squares, i, 0));
      return [sub(x, mul(step, row)), null];
    },
    D,
    rows,
  );
  return [next, add(matmul(K, next), right)];
}

/** A column of K S this small beside what it was before the others were taken out of it depends on them. */
const DEPENDENT = 1e-12;

/**
 * K S (S^T K^2 S)^+ S^T r, the least correction with S^T K correction = S^T r: one column of K S after the other is
 * made orthogonal to those before, twice, and its equation is met along what is left.
 */
function blockCorrection(rows: Tensor, S: Tensor, r: Tensor): Tensor {
  const [d, s] = S.shape;
  const places = eye(s, s, "float64");
  const start: [Tensor, Tensor, Tensor] = [zeros([s, d], "float64"), zeros([s], "float64"), zeros([d], "float64")];
  const [[, , correction]] = scan(
    ([Q, weights, sum]: typeof start, [column, right, place]: [Tensor, Tensor, Tensor]): [typeof start, null] => {
      const first = matmul(Q, column);
      const rest = sub(column, matmul(first, Q));
      const second = matmul(Q, rest);
      const left = sub(rest, matmul(second, Q));
      const size = linalg.norm(left);
      const regular = greater(size, mul(DEPENDENT, linalg.norm(column)));
      const scale = where(regular, div(1, where(regular, size, 1)), 0);
      const q = mul(scale, left);
      const weight = mul(scale, sub(right, dot(add(first, second), weights)));
      const next = [add(Q, mul(expandDims(place, 1), q)), add(weights, mul(place, weight)), add(sum, mul(weight, q))];
      return [next as typeof start, null];
    },
    start,
    [rows, matmul(transpose(S), r), places],
  );
  return correction;
}

/** a / b, and 0 where an equation is empty. */
function quotient(a: Tensor, b: Tensor): Tensor {
  const positive = greater(b, 0);
  return where(positive, div(a, where(positive, b, 1)), 0);
}
