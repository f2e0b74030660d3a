import {
  add,
  cos,
  div,
  exp,
  maximum,
  mean,
  mul,
  neg,
  sign,
  slice,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from "@offprint/tensor-core";

/** A function whose minimiser is known. */
export interface Landscape {
  /** What people call it. */
  readonly name: string;
  /** `[n, d]` to `[n]`. */
  readonly objective: (v: Tensor) => Tensor;
  /** Every coordinate of the global minimiser. */
  readonly minimiser: number;
  /** Coordinates that are usually looked at. */
  readonly domain: readonly [number, number];
  /** Number of coordinates, where it is fixed. */
  readonly dimension?: number;
}

/** `sum v^2 + 2.5 sum (1 - cos 2 pi v)`: a local minimum at about every integer point. */
export const rastrigin: Landscape = {
  name: "Rastrigin",
  objective: (v) => sum(add(square(v), mul(2.5, sub(1, cos(mul(v, 2 * Math.PI))))), { axis: 1 }),
  minimiser: 0,
  domain: [-4, 4],
};

/** Ackley's function: a narrow funnel at 0 in a bumpy plain. */
export const ackley: Landscape = {
  name: "Ackley",
  objective: (v) => {
    const funnel = mul(-20, exp(mul(-0.2, sqrt(mean(square(v), { axis: 1 })))));
    return add(sub(funnel, exp(mean(cos(mul(v, 2 * Math.PI)), { axis: 1 }))), Math.E + 20);
  },
  minimiser: 0,
  domain: [-4, 4],
};

/** `v^2 ((v - 4)^2 + 1)` in one dimension: a global minimum at 0, a local one near 3.7. */
export const wShaped: Landscape = {
  name: "W-shaped",
  objective: (v) => sum(mul(square(v), add(square(sub(v, 4)), 1)), { axis: 1 }),
  minimiser: 0,
  domain: [-2, 5],
  dimension: 1,
};

/** `1/2 sum v^2`. */
export const quadratic: Landscape = {
  name: "quadratic",
  objective: (v) => mul(0.5, sum(square(v), { axis: 1 })),
  minimiser: 0,
  domain: [-4, 4],
};

/** `sum 100 (v_{j+1} - v_j^2)^2 + (1 - v_j)^2`: a bent valley. */
export const rosenbrock: Landscape = {
  name: "Rosenbrock",
  objective: (v) => {
    const d = v.shape[1];
    const here = slice(v, [null, { stop: d - 1 }]);
    const next = slice(v, [null, { start: 1 }]);
    return sum(add(mul(100, square(sub(next, square(here)))), square(sub(1, here))), { axis: 1 });
  },
  minimiser: 1,
  domain: [-2, 2],
};

/** The well of the noisy canyon in which gradient descent from (8, 8) ends. */
export const CANYON_WELL = [2.336, 2.466] as const;

/**
 * The paper's canyon in two dimensions: a winding valley from (8, 8) to the global minimiser 0, with small bumps on its
 * floor, or with barriers (`noisy`).
 */
export function canyon(noisy = false): Landscape {
  const amplitude = noisy ? 1.1625 : 0.25;
  const w = 0.75 * Math.PI;
  return {
    name: noisy ? "noisy canyon" : "smooth canyon",
    objective: (v) => {
      const x = slice(v, [null, 0]);
      const y = slice(v, [null, 1]);
      const val = sub(y, add(mul(div(sub(x, 1), 8), square(sub(x, 4))), 2));
      const blk = sub(neg(x), mul(1.6, y));
      const wall = mul(25, sub(1, exp(mul(-1.4, mul(square(val), exp(mul(-0.002, square(square(x)))))))));
      const bowl = add(mul(0.4, square(x)), mul(0.2, square(y)));
      const bumps = mul(amplitude, sub(2, add(cos(mul(x, w)), cos(mul(y, w)))));
      const block = maximum(mul(sub(1, exp(mul(-9, square(blk)))), sign(blk)), 0);
      return add(add(add(wall, bowl), bumps), mul(mul(4, exp(sub(1, mul(2, square(square(val)))))), block));
    },
    minimiser: 0,
    domain: [-2, 8],
    dimension: 2,
  };
}
