import type { MultiBlockBilevelProblem } from "@offprint/bilevel";
import {
  add,
  matmul,
  mul,
  type Rng,
  random,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
} from "@offprint/tensor-core";

const float64 = { dtype: "float64" } as const;

/** Curved in x and y, with noise in every gradient: blocks of 3 numbers, x of 4. */
export function curvedProblem(blocks = 6): MultiBlockBilevelProblem<Tensor, Tensor> {
  const rng = random.rng(4);
  const w = rng.normal([blocks, 3, 4], float64);
  const roots = rng.normal([blocks, 3, 3], { std: 0.3, ...float64 });
  const curvature = add(
    matmul(roots, transpose(roots, [0, 2, 1])),
    tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], float64).reshape([3, 3]),
  );
  const goals = rng.normal([blocks, 3], float64);
  return {
    blocks,
    initial: { x: rng.normal([4], float64), y: rng.normal([blocks, 3], float64) },
    upper: (x, y, at, noise) =>
      add(
        mul(sum(square(sub(y, take(goals, at))), 1), 0.5),
        add(mul(sum(square(square(x))), 0.05), sum(mul(noise, y), 1)),
      ),
    lower(x, y, at, noise) {
      const gap = sub(y, mul(matmul(take(w, at), x), add(1, mul(0.1, sum(x)))));
      const turned = matmul(take(curvature, at), gap.reshape([-1, 3, 1])).reshape([-1, 3]);
      return add(
        mul(sum(mul(gap, turned), 1), 0.5),
        add(mul(sum(square(square(gap)), 1), 0.01), sum(mul(noise, y), 1)),
      );
    },
    sample: (r: Rng, at: Tensor) => ({
      upper: r.normal([at.size, 3], { std: 0.1, ...float64 }),
      lower: r.normal([at.size, 3], { std: 0.1, ...float64 }),
    }),
    full: (at) => ({
      upper: tensor(new Float64Array(at.size * 3)).reshape([-1, 3]),
      lower: tensor(new Float64Array(at.size * 3)).reshape([-1, 3]),
    }),
  };
}
