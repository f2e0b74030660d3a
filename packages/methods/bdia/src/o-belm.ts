import { type Denoiser, noiseRatio, prepareSampling, type Sampling } from "@offprint/diffusion";
import type { Tensor, TensorLike } from "@offprint/tensor-core";
import { ddimIntegrator } from "./integrators.js";
import { type PairOptions, type PairResult, type TwoStepRule, walk } from "./two-step.js";

/** From noise to data by O-BELM (Wang et al. 2024): the two-step rule with the least error, exact too, one call a step. */
export async function oBelmSample<C = Tensor>(
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: PairOptions<C> = {},
): Promise<PairResult> {
  const sampling = prepareSampling("oBelmSample", denoiser, initial, options, ["next"]);
  return walk(sampling, oBelmRule(sampling), "down", options.next);
}

/** From data to noise by O-BELM. */
export async function oBelmInvert<C = Tensor>(
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: PairOptions<C> = {},
): Promise<PairResult> {
  const sampling = prepareSampling("oBelmInvert", denoiser, initial, options, ["next"]);
  return walk(sampling, oBelmRule(sampling), "up", options.next);
}

function oBelmRule<C>(sampling: Sampling<C>): TwoStepRule {
  const { levels, call } = sampling;
  const plain = ddimIntegrator(sampling);
  return {
    start: (z, from, to) => plain.map(z, from, to),
    async around(z, i) {
      const noise = await call.noise(z, levels[i]);
      const [below, here, above] = [levels[i - 1], levels[i], levels[i + 1]];
      const [t0, t1, t2] = [below, here, above].map(noiseRatio);
      const [d1, d2, d3] = [t1 - t2, t0 - t1, t0 - t2];
      return {
        above: (d2 / d1) ** 2 * (below.alpha / above.alpha),
        factors: [(((d1 - d2) * d3) / d1 ** 2) * (below.alpha / here.alpha), ((d2 * d3) / d1) * below.alpha],
        tensors: [z, noise],
        memory: null,
      };
    },
  };
}
