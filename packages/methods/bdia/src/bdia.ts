import { type Denoiser, prepareSampling, type Sampling } from "@offprint/diffusion";
import { requireChoice, type Tensor, type TensorLike, UnsupportedError, ValueError } from "@offprint/tensor-core";
import {
  ddimIntegrator,
  dpmIntegrator,
  edmIntegrator,
  type Integrator,
  type IntegratorName,
  type OwnIntegrator,
  ownIntegrator,
} from "./integrators.js";
import { type PairOptions, type PairResult, type TwoStepRule, walk } from "./two-step.js";

/** Options of {@link bdiaSample} and {@link bdiaInvert}. */
export interface BdiaOptions<C = Tensor> extends PairOptions<C> {
  /**
   * Part of the slot above that is integrated anew, in [0, 1]; 0 is the plain integrator, 1 the leapfrog rule. To invert it must be above 0, and
   * should be at least 0.9, as a mismatch grows with `gamma^-steps`. Default: to invert 1; to sample 0.5 up to 20 steps and for `"edm"`, 0.25 for
   * `"dpmSolver"`, else 1.
   */
  readonly gamma?: number;
  /** What is wrapped. Default `"ddim"`; `"dpmSolver"` is experimental and samples only. */
  readonly integrator?: IntegratorName | OwnIntegrator;
  /** How `"edm"` maps to the level above: `"heun"` (a call more, second order) or `"euler"`. Default `"heun"`. */
  readonly backward?: "heun" | "euler";
}

/** @internal Names of options beside those of samplers. */
export const bdiaNames = ["gamma", "integrator", "backward", "next"] as const;

/**
 * From noise to data by BDIA: `z_{i-1} = gamma (z_{i+1} - D(i -> i+1 | z_i)) + D(i -> i-1 | z_i)`, where `D` is a step of the wrapped integrator.
 * @param initial states at the noisiest level, `[batch, ...]`
 * @throws ValueError for `gamma` outside [0, 1] and grids that do not grow; NonFiniteError that names the level where a state stops being finite.
 * @see https://arxiv.org/abs/2307.10829
 * @example const { x } = await bdiaSample(denoiser, rng.normal([16, 3, 32, 32]), { steps: 10 });
 */
export async function bdiaSample<C = Tensor>(
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: BdiaOptions<C> = {},
): Promise<PairResult> {
  const sampling = prepareSampling("bdiaSample", denoiser, initial, options, bdiaNames);
  const gamma = gammaOf("bdiaSample", options, usualGamma(options, sampling.levels.length - 1), 0);
  return walk(sampling, bdiaRule(sampling, gamma, options), "down", options.next);
}

/**
 * From data to the noise that belongs to it, exactly: the same recursion, solved for its upper end. `bdiaSample` from the `pair` of the result
 * gives the data back to rounding, whatever the denoiser.
 * @param initial data, `[batch, ...]`
 * @throws ValueError like {@link bdiaSample}, and for `gamma` 0; UnsupportedError for `"dpmSolver"`.
 * @example
 * const { pair } = await bdiaInvert(denoiser, images, { steps: 50 });
 * const { x } = await bdiaSample(denoiser, pair[0], { steps: 50, gamma: 1, next: pair[1] }); // the images
 */
export async function bdiaInvert<C = Tensor>(
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: BdiaOptions<C> = {},
): Promise<PairResult> {
  const sampling = prepareSampling("bdiaInvert", denoiser, initial, options, bdiaNames);
  const gamma = gammaOf("bdiaInvert", options, 1, Number.MIN_VALUE);
  if (options.integrator === "dpmSolver") {
    throw new UnsupportedError('bdiaInvert: integrator "dpmSolver" cannot be inverted; use "ddim" or "edm"');
  }
  return walk(sampling, bdiaRule(sampling, gamma, options), "up", options.next);
}

/** @internal BDIA around an integrator as a two-step rule. */
export function bdiaRule<C>(sampling: Sampling<C>, gamma: number, options: BdiaOptions<C>): TwoStepRule {
  const integrator = integratorOf(sampling, options);
  return {
    start: (z, from, to) => integrator.map(z, from, to),
    async around(z, i, memory) {
      const { tensors, down, up, memory: kept } = await integrator.both(z, i, memory, gamma > 0);
      return { above: gamma, factors: down.map((factor, j) => factor - gamma * up[j]), tensors, memory: kept };
    },
  };
}

function integratorOf<C>(sampling: Sampling<C>, { integrator = "ddim", backward: given }: BdiaOptions<C>): Integrator {
  const { owner } = sampling;
  const backward = given ?? "heun";
  requireChoice(owner, "backward", backward, ["heun", "euler"]);
  if (given !== undefined && integrator !== "edm") {
    throw new ValueError(`${owner}: backward is of the integrator "edm"; leave it out`);
  }
  if (typeof integrator === "function") return ownIntegrator(sampling, integrator);
  requireChoice(owner, "integrator", integrator, ["ddim", "edm", "dpmSolver"]);
  if (integrator === "edm") return edmIntegrator(sampling, backward);
  return integrator === "dpmSolver" ? dpmIntegrator(sampling) : ddimIntegrator(sampling);
}

function usualGamma<C>({ integrator }: BdiaOptions<C>, steps: number): number {
  if (integrator === "dpmSolver") return 0.25;
  return integrator === "edm" || steps <= 20 ? 0.5 : 1;
}

/** @internal `gamma`, checked. @throws ValueError */
export function gammaOf<C>(owner: string, { gamma }: BdiaOptions<C>, usual: number, least: number): number {
  if (gamma === undefined) return usual;
  if (typeof gamma === "number" && gamma >= least && gamma <= 1) return gamma;
  throw new ValueError(
    `${owner}: gamma is ${String(gamma)}; it must lie in ${least === 0 ? "[0, 1]" : "(0, 1] to be inverted"}`,
  );
}
