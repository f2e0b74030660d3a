import type { MultiBlockBilevelProblem } from "@offprint/bilevel";
import {
  add,
  eye,
  linalg,
  matmul,
  mean,
  mul,
  type Rng,
  square,
  sub,
  sum,
  swapAxes,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";

const float64 = { dtype: "float64" } as const;

/** Data of the upper functions: rows `[count, B, d]` and targets `[count, B]`. */
export interface UpperRows {
  readonly rows: Tensor;
  readonly targets: Tensor;
}

/** Of the lower functions, with the matrices W_i `[count, d, dx]`. */
export interface LowerRows extends UpperRows {
  readonly w: Tensor;
}

/** A multi-block problem whose F is quadratic, with its gradient and its minimiser. */
export interface QuadraticBed {
  readonly problem: MultiBlockBilevelProblem<Tensor, UpperRows, LowerRows>;
  /** The gradient of F, `[dx]`. */
  gradient(x: ArrayLike<number>): Float64Array;
  /** x*. */
  readonly minimiser: Float64Array;
  /** Norm of `x - x*` over that of x*. */
  error(x: ArrayLike<number>): number;
  /** Norm of the gradient of F. */
  gradientNorm(x: ArrayLike<number>): number;
  /** The gradient in y of g_i on all rows, at a row y. */
  lowerGradient(block: number, x: ArrayLike<number>, y: ArrayLike<number>): Float64Array;
}

/** Sizes of a bed. */
export interface BedSizes {
  /** m. Default 50. */
  readonly blocks?: number;
  /** d. Default 5. */
  readonly width?: number;
  /** dx. Default 8. */
  readonly upper?: number;
  /** N, rows of each block. Default 100. */
  readonly rows?: number;
  /** B; `"all"` for all rows in every batch. Default 8. */
  readonly batch?: number | "all";
}

const lowerPenalty = 0.1;
const upperPenalty = 0.005;

// Functions of the data that batches hold: they are the same for all beds, and compiled once.
const residual = (rows: Tensor, y: Tensor, targets: Tensor) =>
  sub(sum(mul(rows, y.reshape([y.shape[0], 1, y.shape[1]])), -1), targets);
const upper = (x: Tensor, y: Tensor, _: Tensor, { rows, targets }: UpperRows) =>
  add(mul(mean(square(residual(rows, y, targets)), 1), 0.5), mul(sum(square(x)), upperPenalty));
const lower = (x: Tensor, y: Tensor, _: Tensor, { w, rows, targets }: LowerRows) =>
  add(mul(mean(square(residual(rows, sub(y, matmul(w, x)), targets)), 1), 0.5), mul(sum(square(y), 1), lowerPenalty));

/**
 * Test bed Q: block i has rows a with targets t = a'y_t + 0.3 e, `g_i = mean (a'(y - W_i x) - t)^2 / 2 + 0.1 |y|^2`, and rows v with
 * targets s = v'(W_i x_true + 0.3 e) + 0.3 e, `f_i = mean (v'y - s)^2 / 2 + 0.005 |x|^2`; `W_i = (W_0 + 0.3 e) / sqrt(dx)`.
 */
export function quadraticBed(rng: Rng, sizes: BedSizes = {}): QuadraticBed {
  const { blocks: m = 50, width: d = 5, upper: dx = 8, rows: n = 100, batch = 8 } = sizes;
  const normal = (shape: readonly number[], std = 1) => rng.normal([...shape], { std, ...float64 });
  const w = mul(add(normal([d, dx]), normal([m, d, dx], 0.3)), 1 / Math.sqrt(dx));
  const noisy = (at: Tensor) => {
    const rows = normal([m, n, d]);
    const targets = add(matmul(rows, at.reshape([m, d, 1])).reshape([m, n]), normal([m, n], 0.3));
    return { rows, targets };
  };
  const below = noisy(normal([m, d], 0.3));
  const above = noisy(add(matmul(w, normal([dx], 2)), normal([m, d], 0.3)));
  const [lowerMoments, upperMoments] = [momentsOf(below), momentsOf(above)];
  const { matrix, offset } = quadraticOf(w, lowerMoments, upperMoments);
  const minimiser = Float64Array.from(linalg.solve(matrix, mul(offset, -1)).data());
  const [entries, constant] = [matrix.data(), offset.data()];
  const gradient = (x: ArrayLike<number>) =>
    Float64Array.from(constant, (c: number, i) => {
      let total = c;
      for (let j = 0; j < dx; j++) total += entries[i * dx + j] * x[j];
      return total;
    });
  const slopes = (blocks: ArrayLike<number>) => ({ w: picked(w, blocks).reshape([blocks.length, d, dx]) });
  const table = ({ rows, targets }: UpperRows) => ({
    rows: rows.reshape([m * n, d]),
    targets: targets.reshape([m * n]),
  });
  const tables = [table(above), table(below)] as const;
  const drawn = ({ rows, targets }: UpperRows, r: Rng, blocks: ArrayLike<number>, size: number): UpperRows => {
    const at = r
      .randint([blocks.length * size], { high: n })
      .data()
      .slice();
    for (let k = 0; k < at.length; k++) at[k] += blocks[Math.floor(k / size)] * n;
    const shape = [blocks.length, size];
    return { rows: picked(rows, at).reshape([...shape, d]), targets: picked(targets, at).reshape(shape) };
  };
  const all = ({ rows, targets }: UpperRows, blocks: ArrayLike<number>): UpperRows => ({
    rows: picked(rows, blocks).reshape([blocks.length, n, d]),
    targets: picked(targets, blocks).reshape([blocks.length, n]),
  });
  return {
    problem: {
      ...{ blocks: m, upper, lower },
      initial: { x: tensor(new Float64Array(dx)), y: tensor(new Float64Array(m * d)).reshape([m, d]) },
      full(blocks) {
        const numbers = blocks.data();
        return { upper: all(above, numbers), lower: { ...slopes(numbers), ...all(below, numbers) } };
      },
      ...(batch !== "all" && {
        sample(r: Rng, blocks: Tensor) {
          const numbers = blocks.data();
          const [rowsAbove, rowsBelow] = tables.map((rows) => drawn(rows, r, numbers, batch));
          return { upper: rowsAbove, lower: { ...slopes(numbers), ...rowsBelow } };
        },
      }),
    },
    gradient,
    minimiser,
    error: (x) => Math.hypot(...minimiser.map((v, i) => x[i] - v)) / Math.hypot(...minimiser),
    gradientNorm: (x) => Math.hypot(...gradient(x)),
    lowerGradient(block, x, y) {
      const [maps, seconds, crosses] = [w.data(), lowerMoments.second.data(), lowerMoments.cross.data()];
      const gap = Float64Array.from({ length: d }, (_, j) => {
        let at = y[j];
        for (let k = 0; k < dx; k++) at -= maps[(block * d + j) * dx + k] * x[k];
        return at;
      });
      return Float64Array.from({ length: d }, (_, j) => {
        let total = 2 * lowerPenalty * y[j] - crosses[block * d + j];
        for (let k = 0; k < d; k++) total += seconds[(block * d + j) * d + k] * gap[k];
        return total;
      });
    },
  };
}

interface Moments {
  /** Means of a a', `[m, d, d]`. */
  readonly second: Tensor;
  /** Means of a t, `[m, d, 1]`. */
  readonly cross: Tensor;
}

function momentsOf({ rows, targets }: UpperRows): Moments {
  const [m, n] = rows.shape;
  const turned = swapAxes(rows, 1, 2);
  return { second: mul(matmul(turned, rows), 1 / n), cross: mul(matmul(turned, targets.reshape([m, n, 1])), 1 / n) };
}

/** F(x) = x'matrix x / 2 + offset'x + a constant, as y_i*(x) = M_i x + c_i. */
function quadraticOf(w: Tensor, g: Moments, f: Moments): { matrix: Tensor; offset: Tensor } {
  const [, d, dx] = w.shape;
  const system = add(g.second, mul(eye(d, d, "float64"), 2 * lowerPenalty));
  const slope = linalg.solve(system, matmul(g.second, w));
  const constant = linalg.solve(system, g.cross);
  const transposed = swapAxes(slope, 1, 2);
  return {
    matrix: add(mean(matmul(transposed, matmul(f.second, slope)), 0), mul(eye(dx, dx, "float64"), 2 * upperPenalty)),
    offset: mean(matmul(transposed, sub(matmul(f.second, constant), f.cross)), 0).reshape([dx]),
  };
}

/** Slices of the leading axis, one after the other; plain copies, as they are made in every iteration. */
function picked(values: Tensor, at: ArrayLike<number>): Tensor {
  const size = values.size / values.shape[0];
  const all = values.data();
  const out = new Float64Array(at.length * size);
  for (let k = 0, to = 0; k < at.length; k++) {
    for (let from = at[k] * size, j = 0; j < size; j++, from++, to++) out[to] = all[from];
  }
  return tensor(out);
}
