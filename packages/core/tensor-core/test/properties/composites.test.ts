import { f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { Source } from "../../src/conformance/sampling.js";
import {
  add,
  einsum,
  eye,
  linalg,
  logSumExp,
  matmul,
  mul,
  pow,
  special,
  std,
  sum,
  type Tensor,
  variance,
} from "../../src/index.js";
import { gradientError, hessianError, weightedSum } from "./finite-differences.js";

const square3 = f64([
  [2, 0.3, -0.5],
  [0.1, 1.5, 0.4],
  [-0.2, 0.6, 3],
]);
const tall = f64([
  [1, 2],
  [0.5, -1],
  [3, 0.2],
]);
const wide = f64([
  [1, 0.5, 3],
  [2, -1, 0.2],
]);
const rankOne = matmul(f64([[1], [2], [-1]]), f64([[2, 1]]));
const positive = (x: Tensor) => add(matmul(x, x.swapAxes(-1, -2)), eye(x.shape[0], undefined, "float64"));

/** Functions composed of primitives, with the point at which to differentiate. */
const functions: [string, (x: Tensor) => Tensor, Tensor][] = [
  ...([1, 2, 3, 0.5] as const).map((ord): [string, (x: Tensor) => Tensor, Tensor] => [
    `vector norm ${ord}`,
    (x) => linalg.norm(x, { ord, axis: 1 }),
    square3,
  ]),
  ...(["fro", "nuc", 2, -2, 1, Number.POSITIVE_INFINITY] as const).map(
    (ord): [string, (x: Tensor) => Tensor, Tensor] => [`matrix norm ${ord}`, (x) => linalg.norm(x, { ord }), tall],
  ),
  ["pinv of a tall matrix", (x) => linalg.pinv(x), tall],
  ["pinv of a wide matrix", (x) => linalg.pinv(x), wide],
  // Rank one stays rank one along this curve, where the pseudo-inverse is smooth.
  [
    "pinv at deficient rank",
    (x) => linalg.pinv(matmul(matmul(linalg.expm(mul(x, 0.1)), rankOne), eye(2, 2, "float64")), { rcond: 1e-10 }),
    square3,
  ],
  ["lstsq of a tall matrix", (x) => linalg.lstsq(x, f64([1, 2, 3])), tall],
  ["lstsq of a wide matrix", (x) => linalg.lstsq(x, f64([1, 2])), wide],
  ["det", linalg.det, square3],
  ["inverse", linalg.inverse, square3],
  ["a negative power", (x) => linalg.matrixPower(x, -2), square3],
  ["a positive power", (x) => linalg.matrixPower(x, 5), mul(square3, 0.3)],
  ["expm", linalg.expm, square3],
  ["condition number", (x) => linalg.cond(x), square3],
  ["condition number in the 1-norm", (x) => linalg.cond(x, 1), square3],
  ["choleskySolve", (x) => linalg.choleskySolve(linalg.cholesky(positive(x)), f64([1, 2, 3])), square3],
  [
    "a matrix function by eigenvectors",
    (x) => {
      const { values, vectors } = linalg.eigh(positive(x));
      return matmul(mul(vectors, values.log()), vectors.transpose());
    },
    square3,
  ],
  [
    "the log density of a normal distribution",
    (x) => {
      const l = linalg.cholesky(positive(x));
      const z = linalg.triangularSolve(l, f64([1, -1, 2]));
      return add(sum(mul(z, z)), mul(linalg.slogdet(l).logAbsDet, 2));
    },
    square3,
  ],
  ["lu", (x) => linalg.luFactor(x).lu, square3],
  ["variance", (x) => variance(x, { axis: 0, ddof: 1 }), square3],
  ["std", (x) => std(x, { axis: 1 }), square3],
  ["logSumExp", (x) => logSumExp(x, { axis: [0, 1] }), square3],
  ["einsum", (x) => einsum("ij,jk,kl->il", x, x, square3), square3],
  ["powers of negative numbers", (x) => pow(x, 3), square3],
  ["gelu", special.gelu, square3],
  ["gelu by tanh", (x) => special.gelu(x, { approximate: true }), square3],
  ["silu", special.silu, square3],
  ["elu", special.elu, square3],
  ["selu", special.selu, square3],
  ["leakyRelu", special.leakyRelu, square3],
  ["logSigmoid", special.logSigmoid, square3],
  ["normalCdf", special.normalCdf, square3],
  ["normalPdf", special.normalPdf, square3],
  ["logit", (x) => special.logit(x.sigmoid()), square3],
  ["log1mExp", (x) => special.log1mExp(special.logSigmoid(x)), square3],
];

describe("gradients and Hessians of composed functions are those of finite differences", () => {
  it.each(functions)("%s", (_, f, at) => {
    const loss = ([x]: Tensor[]) => weightedSum([f(x)]);
    expect(gradientError(loss, [at], new Source(1), 1e-3), "gradient").toBeLessThan(1e-8);
    expect(hessianError(loss, [at], new Source(2), 1e-3), "Hessian").toBeLessThan(1e-7);
  });
});
