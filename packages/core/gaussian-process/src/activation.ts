import { gaussHermite } from "@offprint/solvers";
import {
  acos,
  add,
  asin,
  clip,
  customVjp,
  div,
  expandDims,
  greater,
  jvp,
  mul,
  onesLike,
  reshape,
  scan,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  where,
  zerosLike,
} from "@offprint/tensor-core";
import { chained } from "./chained.js";

/** A nonlinearity: by its name, or any elementwise function, whose expectations are taken by quadrature. */
export type Activation =
  | "relu"
  | "erf"
  | {
      /** Elementwise, in operations of tensors. */
      readonly apply: (u: Tensor) => Tensor;
      /**
       * Nodes of the Gauss-Hermite rule in each of two directions (default 40: seven digits of erf at variances of 2, four at 5).
       * Kinks want closed forms: 40 give two digits of relu.
       */
      readonly nodes?: number;
    };

/** @internal Expectations over Gaussian pairs (u, v) with variances a, b and covariance c. */
export interface ActivationMoments {
  /** E phi(u) phi(v). */
  readonly covariance: (a: Tensor, c: Tensor, b: Tensor) => Tensor;
  /** E phi'(u) phi'(v). */
  readonly slopes: (a: Tensor, c: Tensor, b: Tensor) => Tensor;
  /** E phi(u)^2. */
  readonly variance: (a: Tensor) => Tensor;
}

const inside = (c: Tensor) => clip(c, -1, 1);

/** 1 - c^2 as sqrt, with a gradient of 0 where it vanishes. */
function sine(c: Tensor): Tensor {
  const left = sub(1, square(c));
  const positive = greater(left, 0);
  return where(positive, sqrt(where(positive, left, 1)), 0);
}

/** (pi - theta) / pi for the angle of a cosine, with its derivative (Cho and Saul 2009). */
const zerothOrder = chained([
  (c: Tensor) => div(sub(Math.PI, acos(inside(c))), Math.PI),
  (c: Tensor) => {
    const s = sine(inside(c));
    const positive = greater(s, 0);
    return where(positive, div(1 / Math.PI, where(positive, s, 1)), 0);
  },
]);

/** (sin theta + (pi - theta) cos theta) / pi, and its derivative, {@link zerothOrder}, which it is made of. */
function withSlope(c: Tensor): [value: Tensor, slope: Tensor] {
  const slope = zerothOrder(c);
  return [add(div(sine(inside(c)), Math.PI), mul(slope, inside(c))), slope];
}

const firstOrder: (c: Tensor) => Tensor = customVjp(
  (c: Tensor) => withSlope(c)[0],
  withSlope,
  (slope: Tensor, g: Tensor) => [mul(g, slope)],
);

const relu: ActivationMoments = {
  covariance(a, c, b) {
    const sizes = sqrt(mul(a, b));
    return mul(mul(0.5, sizes), firstOrder(div(c, sizes)));
  },
  slopes: (a, c, b) => mul(0.5, zerothOrder(div(c, sqrt(mul(a, b))))),
  variance: (a) => mul(0.5, a),
};

const lifted = (a: Tensor) => add(1, mul(2, a));

const erf: ActivationMoments = {
  covariance: (a, c, b) => mul(2 / Math.PI, asin(div(mul(2, c), sqrt(mul(lifted(a), lifted(b)))))),
  slopes: (a, c, b) => div(4 / Math.PI, sqrt(sub(mul(lifted(a), lifted(b)), mul(4, square(c))))),
  variance: (a) => mul(2 / Math.PI, asin(div(mul(2, a), lifted(a)))),
};

/** By a product rule in independent z and w: u = sqrt(a) z, v = sqrt(b) (rho z + sqrt(1 - rho^2) w). */
function byQuadrature(apply: (u: Tensor) => Tensor, count: number): ActivationMoments {
  const rule = gaussHermite(count, "probabilists");
  const nodes = tensor(rule.nodes);
  const weights = tensor(rule.weights);
  const slope = (u: Tensor) => jvp(apply, [u], [onesLike(u)])[1];
  const expectation = (f: (u: Tensor) => Tensor) => (a: Tensor, c: Tensor, b: Tensor) => {
    const rho = inside(div(c, sqrt(mul(a, b))));
    const rest = sine(rho);
    const front = [count, ...new Array<number>(c.rank).fill(1)];
    const [z2, w2] = [reshape(nodes, front), reshape(weights, front)];
    const total = scan(
      (sofar: Tensor, [z, w]: [Tensor, Tensor]): [Tensor, null] => {
        const v = mul(sqrt(b), add(mul(rho, z), mul(expandDims(rest, 0), z2)));
        const inner = sum(mul(w2, f(v)), 0);
        return [add(sofar, mul(mul(w, f(mul(sqrt(a), z))), inner)), null];
      },
      zerosLike(c),
      [nodes, weights] as [Tensor, Tensor],
    );
    return total[0];
  };
  const covariance = expectation(apply);
  return { covariance, slopes: expectation(slope), variance: (a) => covariance(a, a, a) };
}

/** @internal The expectations of an activation. */
export function momentsOf(activation: Activation): ActivationMoments {
  if (activation === "relu") return relu;
  if (activation === "erf") return erf;
  return byQuadrature(activation.apply, activation.nodes ?? 40);
}
