import { type Claim, figure } from "@offprint/claims";
import { condition, matern, squaredExponential } from "@offprint/gaussian-process";
import { type random, type Tensor, tensor } from "@offprint/tensor-core";
import { cosine, type Method, published } from "./method.js";

const NOISE = 1e-6;
const float64 = { dtype: "float64" } as const;

/** Values of a smooth function at random places around a point. */
function queries(rng: random.Rng, n: number, d: number, radius: number) {
  const z = rng.uniform([d], { low: 0.3, high: 0.7, ...float64 });
  const x = rng.uniform([n, d], { low: -radius, high: radius, ...float64 }).add(z);
  const y = x.mul(3).sin().sum(1);
  return { z, x, y };
}

function moved(z: Tensor, k: number, by: number): Tensor {
  const values = Float64Array.from(z.data());
  values[k] += by;
  return tensor(values);
}

/** Largest difference relative to the largest entry. */
function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let k = 0; k < a.length; k++) {
    difference = Math.max(difference, Math.abs(a[k] - b[k]));
    size = Math.max(size, Math.abs(b[k]));
  }
  return difference / size;
}

/** Error of gradients and their covariances against differences of the posterior's mean and covariance. */
function surrogateErrors(method: Method, rng: random.Rng) {
  let [gradient, covariance] = [0, 0];
  for (const [kernel, process] of [
    ["matern", matern()],
    ["squaredExponential", squaredExponential()],
  ] as const) {
    const [n, d, radius] = [12, 3, 0.3];
    const { z, x, y } = queries(rng, n, d, radius);
    const surrogate = method.trajectorySurrogate(x, y, { kernel, noise: NOISE });
    const least = Math.min(...y.data());
    const posterior = condition(process, x, y.sub(least).div(surrogate.range), { noise: NOISE });
    const h = 1e-5;
    const slopes = Array.from({ length: d }, (_, k) => {
      const [above, below] = posterior.mean([moved(z, k, h).toArray(), moved(z, k, -h).toArray()] as number[][]).data();
      return (surrogate.range * (above - below)) / (2 * h);
    });
    gradient = Math.max(gradient, apart(surrogate.gradient(z).data(), slopes));
    const step = 1e-3;
    const mixed = (j: number, k: number) => {
      const rows = (at: number) => [moved(z, at, step).toArray(), moved(z, at, -step).toArray()] as number[][];
      const [pp, pm, mp, mm] = posterior.covariance(rows(j), rows(k)).data();
      return (pp - pm - mp + mm) / (4 * step * step);
    };
    const blocks = Array.from({ length: d * d }, (_, at) => mixed(Math.floor(at / d), at % d));
    covariance = Math.max(covariance, apart(surrogate.gradientCovariance(z).data(), blocks));
  }
  return { gradient, covariance };
}

/** Gradients of surrogates are exact, and global gradients are means of the clients'. */
export function exactSurrogates(method: Method = published): Claim {
  return {
    id: "surrogates-are-exact",
    statement:
      "The surrogate's gradient and its uncertainty are those of the Gaussian process; the gradient of averaged features is the mean of the clients' gradients",
    source: "Sections 4.1 and 4.2",
    paper: "identities",
    run({ rng }) {
      const errors = surrogateErrors(method, rng);
      const d = 5;
      const { z, x, y } = queries(rng, 3 * d, d, 0.02);
      const square = (at: Tensor) => at.square().sum(at.rank - 1);
      const quadratic = method.trajectorySurrogate(x, square(x));
      const angle = cosine(quadratic.gradient(z).data(), z.mul(2).data());
      const fourier = method.fourierSurrogate(d, { features: 200, seed: "claim" });
      const [first, second] = [fourier.fit(x, y), fourier.fit(x.add(0.1), square(x))];
      const mean = first.add(second).mul(0.5);
      const apartBy = apart(
        fourier.gradient(mean, z).data(),
        fourier.gradient(first, z).add(fourier.gradient(second, z)).mul(0.5).data(),
      );
      const holds = errors.gradient <= 1e-5 && errors.covariance <= 1e-3 && angle >= 0.999 && apartBy <= 1e-12;
      return {
        measured: { "error of gradients": errors.gradient, "error of covariances": errors.covariance, cosine: angle },
        holds,
        detail:
          `Against differences of the posterior's mean and covariance: gradients within 1e-5 (${figure(errors.gradient)}), their covariances within 1e-3, the ` +
          `accuracy of the differences (${figure(errors.covariance)}). On a quadratic, 3 d queries within 0.02: cosine to the true gradient ` +
          `>= 0.999 (${figure(angle, 6)}). Gradient of averaged weights less the mean of gradients <= 1e-12 (${figure(apartBy)}).`,
      };
    },
  };
}
