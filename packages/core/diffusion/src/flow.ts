import { makeSolver } from "@offprint/ode";
import {
  add,
  checkOptions,
  div,
  exp,
  eye,
  linalg,
  matmul,
  mul,
  requireObject,
  ShapeError,
  sqrt,
  sub,
  swapAxes,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type Denoiser, predictAs } from "./denoiser.js";
import type { GaussianMixture } from "./gaussian-mixture.js";
import { type Level, noiseRatio } from "./level.js";

/** Options of {@link solveFlow}. */
export interface FlowOptions<C> {
  /** The condition. */
  readonly condition?: C;
  /** Error that a step may make, relative to the state. Default 1e-8. */
  readonly relativeTolerance?: number;
  /** Error that a step may make beside it. Default 1e-10. */
  readonly absoluteTolerance?: number;
}

/**
 * The exact course of states: the probability-flow equation between two levels, by the adaptive method of Dormand and
 * Prince in `u = log(sigma / alpha)` on `y = z / alpha`, where `dy/du = exp(u) noise`. For judging samplers.
 * @throws ValueError at a level without noise; UnsupportedError for a denoiser that is not in operations of tensors.
 */
export async function solveFlow<C>(
  denoiser: Denoiser<C>,
  z: Tensor,
  from: Level,
  to: Level,
  options: FlowOptions<C> = {},
): Promise<Tensor> {
  requireObject("solveFlow", "denoiser", denoiser, "a Denoiser");
  requireObject("solveFlow", "z", z, "a tensor");
  requireObject("solveFlow", "from", from, "a Level");
  requireObject("solveFlow", "to", to, "a Level");
  checkOptions("solveFlow", options, ["condition", "relativeTolerance", "absoluteTolerance"]);
  const { condition, relativeTolerance = 1e-8, absoluteTolerance = 1e-10 } = options;
  if (!(from.sigma > 0 && to.sigma > 0)) {
    throw new ValueError("solveFlow: a level has no noise, where log(sigma / alpha) is infinite; end at a small ratio");
  }
  const solver = makeSolver((u: Tensor, y: Tensor) => {
    const level = denoiser.schedule.atRatio(exp(u));
    return mul(exp(u), predictAs(denoiser, "noise", mul(y, level.alpha), level, condition));
  });
  const ends: [number, number] = [Math.log(noiseRatio(from)), Math.log(noiseRatio(to))];
  const y = div(tensor(z, { dtype: "float64" }), from.alpha);
  const { end } = await solver.solve(y, ends, { method: "dopri5", relativeTolerance, absoluteTolerance, dense: false });
  solver.release();
  return mul(end.y, to.alpha);
}

/**
 * The exact course of states for one normal distribution, in closed form: `alpha_t mu + C_t^(1/2) C_s^(-1/2) (z - alpha_s
 * mu)`, `C = alpha^2 S + sigma^2 I`.
 * @throws ValueError for a mixture of several components.
 */
export function gaussianFlow(mixture: GaussianMixture, z: Tensor, from: Level, to: Level): Tensor {
  requireObject("gaussianFlow", "mixture", mixture, "a GaussianMixture");
  requireObject("gaussianFlow", "z", z, "a tensor");
  requireObject("gaussianFlow", "from", from, "a Level");
  requireObject("gaussianFlow", "to", to, "a Level");
  if (mixture.components !== 1) {
    throw new ValueError(
      `gaussianFlow: the mixture has ${mixture.components} components; only one has a closed form, use solveFlow`,
    );
  }
  const d = mixture.size;
  if (z.rank !== 2 || z.shape[1] !== d)
    throw new ShapeError(`gaussianFlow: z has shape [${z.shape}]; it must be [batch, ${d}]`);
  const { values, vectors } = linalg.eigh(mixture.covariances.reshape([d, d]));
  const total = ({ alpha, sigma }: Level) => add(mul(values, alpha ** 2), sigma ** 2);
  const ratio = sqrt(div(total(to), total(from)));
  const turned = matmul(matmul(vectors, mul(eye(d, d, "float64"), ratio)), swapAxes(vectors, 0, 1));
  const mu = mixture.means.reshape([d]);
  return add(mul(mu, to.alpha), matmul(sub(z, mul(mu, from.alpha)), turned));
}
