import {
  add,
  cos,
  div,
  exp,
  maximum,
  mean,
  mul,
  neg,
  pow,
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
  /** The same for one point, in plain numbers. */
  readonly value: (v: ArrayLike<number>) => number;
  /** Every coordinate of the global minimiser. */
  readonly minimiser: number;
  /** Coordinates that are usually looked at. */
  readonly domain: readonly [number, number];
  /** Number of coordinates, where it is fixed. */
  readonly dimension?: number;
  /** The gradient at one point, written to `out`, where it is needed fast. */
  readonly gradient?: (v: ArrayLike<number>, out: Float64Array) => void;
}

/** `sum v^2 + 2.5 sum (1 - cos 2 pi v)`: a local minimum at about every integer point. */
export const rastrigin: Landscape = {
  name: "Rastrigin",
  objective: (v) => sum(add(square(v), mul(2.5, sub(1, cos(mul(v, 2 * Math.PI))))), { axis: 1 }),
  value(v) {
    let total = 0;
    for (let j = 0; j < v.length; j++) total += v[j] * v[j] + 2.5 * (1 - Math.cos(2 * Math.PI * v[j]));
    return total;
  },
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
  value(v) {
    let [squares, cosines] = [0, 0];
    for (let j = 0; j < v.length; j++) {
      squares += v[j] * v[j];
      cosines += Math.cos(2 * Math.PI * v[j]);
    }
    return -20 * Math.exp(-0.2 * Math.sqrt(squares / v.length)) - Math.exp(cosines / v.length) + Math.E + 20;
  },
  minimiser: 0,
  domain: [-4, 4],
};

/** `v^2 ((v - 4)^2 + 1)` in one dimension: a global minimum at 0, a local one near 3.7. */
export const wShaped: Landscape = {
  name: "W-shaped",
  objective: (v) => sum(mul(square(v), add(square(sub(v, 4)), 1)), { axis: 1 }),
  value: (v) => v[0] * v[0] * ((v[0] - 4) ** 2 + 1),
  minimiser: 0,
  domain: [-2, 5],
  dimension: 1,
};

/** `1/2 sum v^2`. */
export const quadratic: Landscape = {
  name: "quadratic",
  objective: (v) => mul(0.5, sum(square(v), { axis: 1 })),
  value(v) {
    let total = 0;
    for (let j = 0; j < v.length; j++) total += 0.5 * v[j] * v[j];
    return total;
  },
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
  value(v) {
    let total = 0;
    for (let j = 0; j + 1 < v.length; j++) total += 100 * (v[j + 1] - v[j] ** 2) ** 2 + (1 - v[j]) ** 2;
    return total;
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
      const wall = mul(25, sub(1, exp(mul(-1.4, mul(square(val), exp(mul(-0.002, pow(x, 4))))))));
      const bowl = add(mul(0.4, square(x)), mul(0.2, square(y)));
      const bumps = mul(amplitude, sub(2, add(cos(mul(x, w)), cos(mul(y, w)))));
      const block = maximum(mul(sub(1, exp(mul(-9, square(blk)))), sign(blk)), 0);
      return add(add(add(wall, bowl), bumps), mul(mul(4, exp(sub(1, mul(2, pow(val, 4))))), block));
    },
    value: (v) => {
      const [x, y] = [v[0], v[1]];
      const val = y - (((x - 1) * (x - 4) * (x - 4)) / 8 + 2);
      const blk = -x - 1.6 * y;
      const wall = 25 * (1 - Math.exp(-1.4 * val * val * Math.exp(-0.002 * x * x * x * x)));
      const bumps = amplitude * (2 - Math.cos(w * x) - Math.cos(w * y));
      const block = blk > 0 ? 4 * Math.exp(1 - 2 * val * val * val * val) * (1 - Math.exp(-9 * blk * blk)) : 0;
      return wall + 0.4 * x * x + 0.2 * y * y + bumps + block;
    },
    gradient: (v, out) => canyonGradient(v[0], v[1], amplitude, w, out),
    minimiser: 0,
    domain: [-2, 8],
    dimension: 2,
  };
}

function canyonGradient(x: number, y: number, amplitude: number, w: number, out: Float64Array): void {
  const val = y - (((x - 1) * (x - 4) * (x - 4)) / 8 + 2);
  const valX = -((x - 4) * (x - 4) + 2 * (x - 1) * (x - 4)) / 8;
  const decay = Math.exp(-0.002 * x * x * x * x);
  // wall = 25 (1 - exp(-q)), q = 1.4 val^2 exp(-0.002 x^4)
  const slope = 25 * Math.exp(-1.4 * val * val * decay) * 1.4 * decay;
  out[0] = slope * (2 * val * valX - 0.008 * val * val * x * x * x) + 0.8 * x + amplitude * w * Math.sin(w * x);
  out[1] = slope * 2 * val + 0.4 * y + amplitude * w * Math.sin(w * y);
  const blk = -x - 1.6 * y;
  if (blk <= 0) return;
  const front = 4 * Math.exp(1 - 2 * val * val * val * val);
  const block = 1 - Math.exp(-9 * blk * blk);
  const blockSlope = 18 * blk * Math.exp(-9 * blk * blk);
  const frontSlope = -8 * val * val * val * front;
  out[0] += frontSlope * valX * block - front * blockSlope;
  out[1] += frontSlope * block - 1.6 * front * blockSlope;
}
