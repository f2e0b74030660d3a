import {
  type Denoiser,
  prepareSampling,
  runTrajectory,
  type SamplerOptions,
  type SamplerResult,
  type Sampling,
} from "@offprint/diffusion";
import { type Tensor, type TensorLike, ValueError } from "@offprint/tensor-core";
import { type BdiaOptions, bdiaNames, bdiaRule, gammaOf } from "./bdia.js";
import { type Carried, firstStep, stepDown, stepUp } from "./two-step.js";

/** Options of {@link bdiaEdit}. */
export interface BdiaEditOptions<C = Tensor>
  extends Omit<SamplerOptions<C>, "condition">,
    Pick<BdiaOptions<C>, "gamma"> {
  /** The condition that describes the data as it is. */
  readonly source?: C;
  /** The condition that describes what it shall become. */
  readonly target?: C;
  /** Part of the levels that are gone through, in (0, 1]: the lowest `floor(strength steps)`, two at least. Default 1. */
  readonly strength?: number;
}

/** What {@link bdiaEdit} gives. */
export interface BdiaEditResult extends SamplerResult {
  /** The noise that belongs to the data, and the state one level below; undefined where the run ended before. */
  readonly latent: readonly [Tensor, Tensor] | undefined;
}

/** Upwards with one condition, downwards with another; the pair at the turn is kept. */
interface Turning extends Carried {
  /** The pair at the top; null before it was reached. */
  readonly latent: readonly [Tensor, Tensor] | null;
}

/**
 * Edits data: inverts it with the source condition, keeps the pair of states at the top, and samples from it with the target condition. With
 * target = source the data comes back to rounding.
 * @throws ValueError like `bdiaInvert`, and for a strength that leaves fewer than two steps.
 * @example const { x } = await bdiaEdit(withGuidance(denoiser, nothing, 3), images, { steps: 50, source, target, strength: 0.8 });
 */
export async function bdiaEdit<C = Tensor>(
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: BdiaEditOptions<C> = {},
): Promise<BdiaEditResult> {
  const owner = "bdiaEdit";
  const { source, target, gamma: _, strength = 1, ...rest } = options;
  const names = bdiaNames.filter((name) => name === "gamma");
  const whole = prepareSampling<C>(
    owner,
    denoiser,
    initial,
    { ...rest, ...(options.gamma !== undefined && { gamma: options.gamma }) } as SamplerOptions<C>,
    names,
  );
  const gamma = gammaOf(owner, options, 1, Number.MIN_VALUE);
  const top = levelsOf(owner, strength, whole.levels.length - 1);
  const levels = whole.levels.slice(0, top + 1);
  const conditioned = (condition: C | undefined): Sampling<C> => ({
    ...whole,
    levels,
    call: {
      noise: (z, level) => whole.call.noise(z, level, condition),
      data: (z, level) => whole.call.data(z, level, condition),
    },
  });
  const [up, down] = [source, target].map((condition) => bdiaRule(conditioned(condition), gamma, {}));
  const sampling = { ...whole, levels };
  const { carried, ...result } = await runTrajectory<C, Turning>(sampling, {
    total: 2 * top,
    initial: () => ({ z: whole.z, before: whole.z, memory: null, latent: null }),
    async step(state, k) {
      const i = k <= top ? k - 1 : 2 * top - k + 1;
      if (k === 1) return turned(await firstStep(up, state.z, 0, 1, undefined), top === 1);
      if (k <= top) return turned(await stepUp(up, state, i), k === top);
      const [last, before] = state.latent as [Tensor, Tensor];
      if (k === top + 1) return { z: before, before: last, memory: null, latent: state.latent };
      return { ...(await stepDown(down, state, i)), latent: state.latent };
    },
    position: ({ z }) => z,
    placeAfter: (k) => (k <= top ? k : 2 * top - k),
  });
  return { ...result, latent: carried.latent ?? undefined };
}

function turned(state: Carried, atTop: boolean): Turning {
  return { ...state, latent: atTop ? [state.z, state.before] : null };
}

function levelsOf(owner: string, strength: number, steps: number): number {
  if (typeof strength === "number" && strength > 0 && strength <= 1) {
    const top = Math.floor(steps * strength + 1e-9);
    if (top >= 2) return top;
  }
  throw new ValueError(
    `${owner}: strength is ${String(strength)}; it must lie in (0, 1] and leave at least two of the ${steps} steps: the pair of one holds the data itself, which nothing would edit`,
  );
}
