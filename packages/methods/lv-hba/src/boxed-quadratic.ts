import {
  add,
  ConvergenceError,
  clip,
  div,
  dot,
  eye,
  linalg,
  matmul,
  mul,
  neg,
  sub,
  type Tensor,
  take,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import type { SaddlePoint } from "./value-function.js";

/** A saddle of `theta' P theta / 2 + q' theta + lambda' (A theta + b)` with its proximal terms. */
export interface QuadraticSaddle {
  /** P `[m, m]` */
  readonly curvature: Tensor;
  /** q `[m]` */
  readonly slope: Tensor;
  /** A `[l, m]` */
  readonly rows: Tensor;
  /** b `[l]` */
  readonly offset: Tensor;
  /** `[m]` */
  readonly y: Tensor;
  /** `[l]` */
  readonly z: Tensor;
  /** Proximal weight of y. */
  readonly gamma1: number;
  /** Proximal weight of the multipliers. */
  readonly gamma2: number;
  /** Bounds of the multipliers, `[l]`. */
  readonly lower: Tensor;
  /** `[l]` */
  readonly upper: Tensor;
}

/**
 * Solves it by its dual: `theta(lambda) = (P + I/gamma1)^-1 (y/gamma1 - q - A' lambda)`, and lambda minimises
 * `lambda' M lambda / 2 - d' lambda` in its box, `M = A (P + I/gamma1)^-1 A' + I/gamma2`, by projected Newton steps
 * (Bertsekas 1982), which end after finitely many.
 */
export function boxedQuadratic(saddle: QuadraticSaddle): SaddlePoint {
  const { curvature, slope, rows, offset, y, z, gamma1, gamma2, lower, upper } = saddle;
  const [m, l] = [y.size, z.size];
  const regular = add(curvature, mul(eye(m, m, "float64"), 1 / gamma1));
  const right = sub(div(y, gamma1), slope);
  const free = linalg.solve(regular, right);
  const thetaOf = (lambda: Tensor) =>
    l === 0 ? free : linalg.solve(regular, sub(right, matmul(transpose(rows), lambda)));
  if (l === 0) return { theta: free, lambda: z };
  const inverseRows = linalg.solve(regular, transpose(rows));
  const matrix = add(matmul(rows, inverseRows), mul(eye(l, l, "float64"), 1 / gamma2));
  const target = add(add(matmul(rows, free), offset), div(z, gamma2));
  const lambda = minimiseInBox(matrix, target, clip(z, lower, upper), lower, upper);
  return { theta: thetaOf(lambda), lambda };
}

/** The minimiser of `v' M v / 2 - d' v` in a box, for positive definite M. */
function minimiseInBox(matrix: Tensor, target: Tensor, start: Tensor, lower: Tensor, upper: Tensor): Tensor {
  let v = start;
  const value = (at: Tensor) => dot(at, sub(mul(matmul(matrix, at), 0.5), target)).item();
  const [low, high] = [lower.data(), upper.data()];
  for (let iteration = 0; iteration < 200; iteration++) {
    const slope = sub(matmul(matrix, v), target);
    const [at, down] = [v.data(), slope.data()];
    const free = [...at.keys()].filter((i) => !(at[i] <= low[i] && down[i] > 0) && !(at[i] >= high[i] && down[i] < 0));
    const size = Math.hypot(...free.map((i) => down[i]));
    if (size <= 1e-13 * (1 + Math.hypot(...target.data()))) return v;
    const places = tensor(Int32Array.from(free));
    const part = take(take(matrix, places), places, 1);
    const step = linalg.solve(part, take(slope, places)).data();
    const direction = new Float64Array(at.length);
    free.forEach((i, k) => {
      direction[i] = -step[k];
    });
    const along = (t: number) => clip(add(v, mul(tensor(direction, { dtype: "float64" }), t)), lower, upper);
    const before = value(v);
    let t = 1;
    while (
      t > 1e-12 &&
      value(along(t)) > before - 1e-10 * t * Math.abs(dot(slope, neg(tensor(direction, { dtype: "float64" }))).item())
    )
      t /= 2;
    if (t <= 1e-12) return v;
    v = along(t);
  }
  throw new ConvergenceError(
    "the multipliers' quadratic programme was not solved in 200 Newton steps; are the constraints affine?",
  );
}
