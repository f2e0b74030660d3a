import { orthonormal } from "@offprint/claims/makers";
import { type GaussianMixture, gaussianMixture, levelTensors, trainingLevel } from "@offprint/diffusion";
import {
  add,
  div,
  einsum,
  expandDims,
  eye,
  linalg,
  log,
  logSoftmax,
  logSumExp,
  matmul,
  matrixTrace,
  mul,
  type Rng,
  reshape,
  square,
  sub,
  sum,
  swapAxes,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { type LatentModel, type Measurement, matrixMeasurement } from "../src/index.js";
import { stable } from "./test-bed.js";

/** Standard deviation of the noise of measurements. */
export const deviation = 0.05;

const [size, pixels, seen, variance] = [8, 32, 6, 0.05];

/** A mixture behind a linear decoder, of which everything is known. */
export interface LinearBed {
  /** The data. */
  readonly mixture: GaussianMixture;
  /** With its own Hessian. */
  readonly model: LatentModel;
  /** Six of the pixels. */
  readonly measurement: Measurement;
  /** `A W`, `[6, 8]`. */
  readonly matrix: Tensor;
  /** Draws data and measures them: latents and measurements. */
  draw(rng: Rng, count: number): { z0: Tensor; y: Tensor };
}

/** Eight modes in eight dimensions, seen through an orthonormal decoder to 32 pixels. */
export function linearBed(rng: Rng): LinearBed {
  const mixture = gaussianMixture({ means: rng.normal([8, size], { dtype: "float64" }), variances: variance });
  const w = orthonormal(rng, pixels).slice([null, { stop: size }]);
  const rows = rng.permutation(pixels).data().slice(0, seen);
  const chosen = tensor(
    Array.from(rows, (row) => Array.from({ length: pixels }, (_, i) => (i === row ? 1 : 0))),
    { dtype: "float64" },
  );
  const measurement = matrixMeasurement(chosen);
  const decode = (z: Tensor): Tensor => matmul(z, swapAxes(w, 0, 1));
  return {
    mixture,
    measurement,
    matrix: matmul(chosen, w),
    model: {
      denoiser: mixture.denoiser(stable),
      encode: (x) => matmul(x, w),
      decode,
      hessianTrace: (z, level) => matrixTrace(mixture.hessian(z, level)),
    },
    draw(draws, count) {
      const { x: z0 } = mixture.sample(draws, count);
      const exact = measurement.apply(decode(z0));
      return { z0, y: add(exact, mul(draws.normal(exact.shape, { dtype: "float64" }), deviation)) };
    },
  };
}

/** Training level `t`, counted from 1, as tensors. */
export const levelOfTime = (t: number) => levelTensors(trainingLevel(stable, t - 1));

/** States of the forward process. */
export function noisy(rng: Rng, z0: Tensor, t: number): Tensor {
  const { alpha, sigma } = levelOfTime(t);
  return add(mul(z0, alpha), mul(rng.normal(z0.shape, { dtype: "float64" }), sigma));
}

/** `log p(y | z)` itself: given `z` the data are a mixture again, of which measurements are one of normal distributions. */
export function exactLogLikelihood({ mixture, matrix }: LinearBed, y: Tensor, z: Tensor, t: number): Tensor {
  const level = levelOfTime(t);
  const { alpha, sigma } = level;
  const total = add(mul(square(alpha), variance), square(sigma));
  const offset = sub(expandDims(z, 1), mul(alpha, mixture.means));
  const centres = add(mixture.means, div(mul(offset, mul(alpha, variance)), total));
  const remaining = div(mul(square(sigma), variance), total);
  const spread = add(
    mul(matmul(matrix, swapAxes(matrix, 0, 1)), remaining),
    mul(eye(seen, seen, "float64"), deviation ** 2),
  );
  const root = linalg.cholesky(spread);
  const missed = sub(expandDims(y, 1), einsum("ri,bki->bkr", matrix, centres));
  const [count, modes] = missed.shape;
  const white = linalg.triangularSolve(root, swapAxes(reshape(missed, [count * modes, seen]), 0, 1));
  const distance = reshape(sum(square(white), 0), [count, modes]);
  const logDeterminant = sum(
    log(matmul(mul(root, eye(seen, seen, "float64")), tensor(new Float64Array(seen).fill(1)))),
  );
  const logs = mul(add(distance, seen * Math.log(2 * Math.PI)), -0.5);
  return sub(logSumExp(add(logSoftmax(mixture.logComponents(z, level), 1), logs), 1), logDeterminant);
}
