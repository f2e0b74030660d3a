import {
  add,
  concatenate,
  cos,
  div,
  matmul,
  mul,
  type random,
  requireInteger,
  requireObject,
  ShapeError,
  sqrt,
  type Tensor,
  take,
  tensor,
  transpose,
  UnsupportedError,
} from "@offprint/tensor-core";
import type { Kernel } from "./kernel.js";

/** Features whose products approximate a kernel: `features(x) features(x2)^T` is near `kernel.matrix(x, x2)`. */
export type FeatureMap = (x: Tensor) => Tensor;

/**
 * Random Fourier features (Rahimi and Recht 2007) of a stationary kernel, a multiple or a sum of such: a traceable
 * function of `[n, d]` to `[n, count]`. The error of a covariance falls like 1 / sqrt(count).
 *
 * @param inputs - d.
 * @throws UnsupportedError for kernels that have no spectrum, such as products and those of networks.
 */
export function randomFeatures(kernel: Kernel, count: number, inputs: number, rng: random.Rng): FeatureMap {
  requireObject("randomFeatures", "kernel", kernel, "a Kernel");
  requireObject("randomFeatures", "rng", rng, "random.rng(seed)");
  requireInteger("randomFeatures", "count", count, 1);
  requireInteger("randomFeatures", "inputs", inputs, 1);
  const { spectrum } = kernel;
  if (spectrum === undefined) {
    throw new UnsupportedError(
      "randomFeatures: this kernel has no spectrum; take squaredExponential, matern, or scale, sumOf, additive, onInputs of them",
    );
  }
  if (spectrum.kind === "scaled") {
    const inner = randomFeatures(spectrum.kernel, count, inputs, rng);
    return (x) => mul(sqrt(spectrum.variance), inner(x));
  }
  if (spectrum.kind === "inputs") {
    const beyond = spectrum.inputs.find((j) => j >= inputs);
    if (beyond !== undefined) {
      throw new ShapeError(
        `randomFeatures: the kernel is of input ${beyond}, and there are ${inputs}, from 0; give others`,
      );
    }
    const inner = randomFeatures(spectrum.kernel, count, spectrum.inputs.length, rng);
    const places = tensor([...spectrum.inputs], { dtype: "int32" });
    return (x) => inner(take(x, places, 1));
  }
  if (spectrum.kind === "sum") {
    const { kernels } = spectrum;
    const shares = kernels.map(
      (_, k) => Math.floor(((k + 1) * count) / kernels.length) - Math.floor((k * count) / kernels.length),
    );
    const maps = kernels.flatMap((each, k) => (shares[k] === 0 ? [] : [randomFeatures(each, shares[k], inputs, rng)]));
    return (x) =>
      concatenate(
        maps.map((map) => map(x)),
        1,
      );
  }
  const { length, degreesOfFreedom } = spectrum;
  if (length.rank === 1 && length.shape[0] !== inputs) {
    throw new ShapeError(
      `randomFeatures: the kernel has lengths of ${length.shape[0]} inputs; inputs is ${inputs}, give that`,
    );
  }
  const frequencies = div(standardFrequencies(degreesOfFreedom, count, inputs, rng), length);
  const phases = rng.uniform([count], { high: 2 * Math.PI, dtype: "float64" });
  return (x) => {
    if (x?.rank === 2 && x.shape[1] === inputs) {
      return mul(Math.sqrt(2 / count), cos(add(matmul(x, transpose(frequencies)), phases)));
    }
    throw new ShapeError(`randomFeatures: x has shape [${x?.shape}]; it must be [points, ${inputs}]`);
  };
}

/** Normal frequencies, or those of a multivariate Student-t distribution for a Matern kernel: `[count, d]`. */
function standardFrequencies(degreesOfFreedom: number, count: number, d: number, rng: random.Rng): Tensor {
  const normal = rng.normal([count, d], { dtype: "float64" });
  if (degreesOfFreedom === Infinity) return normal;
  const gamma = rng.gamma([count, 1], {
    concentration: degreesOfFreedom / 2,
    rate: degreesOfFreedom / 2,
    dtype: "float64",
  });
  return div(normal, sqrt(gamma));
}
