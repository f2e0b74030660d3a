import { readFileSync } from "node:fs";
import { add, concatenate, div, mul, pow, slice, square, stack, sub, type Tensor } from "@offprint/tensor-core";

interface Reference {
  readonly y0: readonly number[];
  readonly t1: number;
  readonly end: readonly number[];
}

const path = new URL("fixtures/reference.json", import.meta.url);
const reference = JSON.parse(readFileSync(path, "utf8")) as Record<string, Reference>;

/** A test problem as a right-hand side of plain numbers and as one of tensors. */
export interface Problem {
  readonly plain: (t: number, y: Float64Array) => ArrayLike<number>;
  readonly traced: (t: Tensor, y: Tensor) => Tensor;
  readonly y0: readonly number[];
  readonly t1: number;
  readonly end: readonly number[];
}

const parts = (y: Tensor, n: number) => Array.from({ length: n }, (_, i) => slice(y, [i]));

const MU = 0.012277471;
const BEYOND = 1 - MU;

/** An attractor of three dimensions: errors grow. */
export const lorenz: Problem = {
  plain: (_t, [x, y, z]) => [10 * (y - x), x * (28 - z) - y, x * y - (8 / 3) * z],
  traced(_t, state) {
    const [x, y, z] = parts(state, 3);
    return stack([mul(sub(y, x), 10), sub(mul(x, sub(28, z)), y), sub(mul(x, y), mul(z, 8 / 3))]);
  },
  ...reference.lorenz,
};

/** A closed orbit about earth and moon. */
export const arenstorf: Problem = {
  plain(_t, [a, b, u, v]) {
    const d1 = ((a + MU) ** 2 + b ** 2) ** 1.5;
    const d2 = ((a - BEYOND) ** 2 + b ** 2) ** 1.5;
    return [
      u,
      v,
      a + 2 * v - (BEYOND * (a + MU)) / d1 - (MU * (a - BEYOND)) / d2,
      b - 2 * u - (BEYOND * b) / d1 - (MU * b) / d2,
    ];
  },
  traced(_t, state) {
    const [a, b, u, v] = parts(state, 4);
    const [earth, moon] = [add(a, MU), sub(a, BEYOND)];
    const d1 = pow(add(square(earth), square(b)), 1.5);
    const d2 = pow(add(square(moon), square(b)), 1.5);
    return stack([
      u,
      v,
      sub(sub(add(a, mul(v, 2)), div(mul(earth, BEYOND), d1)), div(mul(moon, MU), d2)),
      sub(sub(sub(b, mul(u, 2)), div(mul(b, BEYOND), d1)), div(mul(b, MU), d2)),
    ]);
  },
  ...reference.arenstorf,
  end: reference.arenstorf.y0,
};

/** Stiff, with fast transitions. */
export const vanDerPol: Problem = {
  plain: (_t, [x, v]) => [v, 1000 * (1 - x * x) * v - x],
  traced(_t, state) {
    const [x, v] = parts(state, 2);
    return stack([v, sub(mul(mul(sub(1, square(x)), v), 1000), x)]);
  },
  ...reference.vanDerPol,
};

/** Chemistry with rates from 0.04 to 3e7. */
export const robertson: Problem = {
  plain(_t, [x, y, z]) {
    const [a, b, c] = [0.04 * x, 1e4 * y * z, 3e7 * y * y];
    return [b - a, a - b - c, c];
  },
  traced(_t, state) {
    const [x, y, z] = parts(state, 3);
    const [a, b, c] = [mul(x, 0.04), mul(mul(y, z), 1e4), mul(square(y), 3e7)];
    return stack([sub(b, a), sub(sub(a, b), c), c]);
  },
  ...reference.robertson,
};

/** A reaction with diffusion on a line. */
export const brusselator: Problem = {
  plain(_t, y) {
    const n = y.length / 2;
    const k = 0.02 * (n + 1) ** 2;
    const rate = new Float64Array(2 * n);
    for (let i = 0; i < n; i++) {
      const [u, v] = [y[i], y[n + i]];
      const [uLeft, uRight] = [i === 0 ? 1 : y[i - 1], i === n - 1 ? 1 : y[i + 1]];
      const [vLeft, vRight] = [i === 0 ? 3 : y[n + i - 1], i === n - 1 ? 3 : y[n + i + 1]];
      rate[i] = 1 + u * u * v - 4 * u + k * (uLeft - 2 * u + uRight);
      rate[n + i] = 3 * u - u * u * v + k * (vLeft - 2 * v + vRight);
    }
    return rate;
  },
  traced(_t, y) {
    const n = y.size / 2;
    const k = 0.02 * (n + 1) ** 2;
    const [u, v] = [slice(y, [{ stop: n }]), slice(y, [{ start: n }])];
    const spread = (x: Tensor, edge: number) => {
      const left = concatenate([[edge], slice(x, [{ stop: -1 }])]);
      const right = concatenate([slice(x, [{ start: 1 }]), [edge]]);
      return mul(add(sub(left, mul(x, 2)), right), k);
    };
    const reaction = mul(square(u), v);
    return concatenate([
      add(sub(add(reaction, 1), mul(u, 4)), spread(u, 1)),
      add(sub(mul(u, 3), reaction), spread(v, 3)),
    ]);
  },
  ...reference.brusselator,
};
