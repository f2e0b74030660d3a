import type { BilevelProblem, BilevelRecord } from "@offprint/bilevel";
import {
  add,
  exp,
  matmul,
  mul,
  NonFiniteError,
  type random,
  slice,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "@offprint/tensor-core";

const d = 5;
const float64 = { dtype: "float64" } as const;

/** A problem whose upper function is exponentially steep, with everything about it known. */
export interface SteepProblem {
  /** A batch is the noise of all derivatives. */
  readonly problem: BilevelProblem<Tensor, Tensor, Tensor>;
  /** `y*(x) = W x`. */
  star(x: Tensor): Float64Array;
  /** Norm of the gradient of the outer function. */
  gradientNorm(x: Tensor): number;
}

/**
 * g = (y - W x)' A (y - W x) / 2 with W orthogonal and eigenvalues of A from 1 to 5, and
 * f = sum of e^(3 (y_j - 2)) + e^(-3 (y_j + 2)) - 0.3 y_j; gradients have noise of 0.05 in each coordinate, products of
 * 0.05 |v| in all. It begins at y*(x) = (-4, ..., -4), where the gradient is about 2.7e3.
 */
export function steepProblem(rng: random.Rng): SteepProblem {
  const w = rng.orthogonal([d, d], float64);
  const q = rng.orthogonal([d, d], float64);
  const spectrum = tensor(
    Float64Array.from({ length: d }, (_, i) => 1 + i),
    float64,
  );
  const a = matmul(mul(q, spectrum), transpose(q));
  const draw = (r: random.Rng) => r.normal([2 * d + 2 * d * d], { std: 0.05, ...float64 });
  const part = (noise: Tensor, from: number, size: number) => slice(noise, [{ start: from, stop: from + size }]);
  // What is zero at the point itself shows in second derivatives alone.
  const fromHere = (v: Tensor) => sub(v, stopGradient(v));
  const star = (x: Tensor) => matmul(w, x).data() as Float64Array;
  const problem: BilevelProblem<Tensor, Tensor, Tensor> = {
    initial: {
      x: matmul(transpose(w), tensor(new Float64Array(d).fill(-4), float64)),
      y: tensor(new Float64Array(d), float64),
    },
    upper(_, y, noise) {
      const steep = add(exp(mul(sub(y, 2), 3)), exp(mul(add(y, 2), -3)));
      return add(sum(sub(steep, mul(y, 0.3))), sum(mul(y, part(noise, 0, d))));
    },
    lower(x, y, noise) {
      const r = sub(y, matmul(w, x));
      const exact = mul(sum(mul(r, matmul(a, r))), 0.5);
      const [dx, dy] = [fromHere(x), fromHere(y)];
      const square = (from: number) => mul(part(noise, from, d * d).reshape([d, d]), 1 / Math.sqrt(d));
      const curvature = mul(sum(mul(dy, matmul(square(2 * d), dy))), Math.SQRT1_2);
      const mixed = sum(mul(dx, matmul(square(2 * d + d * d), dy)));
      return add(add(exact, sum(mul(y, part(noise, d, d)))), add(curvature, mixed));
    },
    sample: { upper: draw, lower: draw },
  };
  return {
    problem,
    star,
    gradientNorm(x) {
      let squares = 0;
      for (const y of star(x)) squares += (3 * Math.exp(3 * (y - 2)) - 3 * Math.exp(-3 * (y + 2)) - 0.3) ** 2;
      return Math.sqrt(squares);
    },
  };
}

/** What a bilevel method must take so that its iterations can be counted. */
export interface CountedRun {
  readonly maxIterations: number;
  readonly seed: string;
  readonly evaluate: (point: { readonly x: Tensor; readonly y: Tensor }) => Record<string, number>;
  readonly onProgress: (record: BilevelRecord) => unknown;
}

/** Iterations until the exact gradient's norm is at most 0.2; undefined where that does not come, or the run diverges. */
export async function iterationsToTarget(
  { gradientNorm }: SteepProblem,
  run: (options: CountedRun) => Promise<unknown>,
  limit: number,
  seed: string,
): Promise<number | undefined> {
  let reached: number | undefined;
  const evaluate = ({ x }: { readonly x: Tensor }) => ({ gradientNorm: gradientNorm(x) });
  const onProgress = ({ iteration, evaluation }: BilevelRecord) => {
    const norm = evaluation?.gradientNorm ?? Number.NaN;
    if (norm <= 0.2) reached = iteration;
    return norm <= 0.2 || !(norm < 1e12) ? "stop" : undefined;
  };
  try {
    await run({ maxIterations: limit, seed, evaluate, onProgress });
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
  }
  return reached;
}
