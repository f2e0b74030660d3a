import {
  type Denoiser,
  ddimCoefficients,
  linearCombination,
  prepareSampling,
  runTrajectory,
  type SamplerOptions,
} from "@offprint/diffusion";
import type { Tensor, TensorLike } from "@offprint/tensor-core";
import { requireChoice, ValueError } from "@offprint/tensor-core";
import { neighbourOf, type PairResult } from "./two-step.js";

/** Options of {@link edictSample} and {@link edictInvert}. */
export interface EdictOptions<C = Tensor> extends SamplerOptions<C> {
  /** How much of each state stays when both are mixed, in (0, 1]. Default 0.93. */
  readonly mixing?: number;
  /** Whether the states take turns in going first, as in the authors' code. Default false. */
  readonly alternate?: boolean;
  /** The second state, where it is known: `pair[1]` of the walk in the other direction. Default the first. */
  readonly next?: TensorLike;
}

interface Twins {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** From noise to data by EDICT (Wallace et al. 2023), exact too: two coupled states, two calls a step. The `pair` of the result are both. */
export async function edictSample<C = Tensor>(
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: EdictOptions<C> = {},
): Promise<PairResult> {
  return edict("edictSample", denoiser, initial, options, "down");
}

/** From data to noise by EDICT. */
export async function edictInvert<C = Tensor>(
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: EdictOptions<C> = {},
): Promise<PairResult> {
  return edict("edictInvert", denoiser, initial, options, "up");
}

async function edict<C>(
  owner: string,
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: EdictOptions<C>,
  direction: "down" | "up",
): Promise<PairResult> {
  const sampling = prepareSampling(owner, denoiser, initial, options, ["mixing", "alternate", "next"]);
  const { mixing: p = 0.93, alternate = false } = options;
  if (!(typeof p === "number" && p > 0 && p <= 1))
    throw new ValueError(`${owner}: mixing is ${String(p)}; it must lie in (0, 1]`);
  requireChoice(owner, "alternate", alternate, [true, false]);
  const { levels, call, z: start } = sampling;
  const top = levels.length - 1;
  const second = neighbourOf(owner, start, options.next) ?? start;
  const noise = (z: Tensor, i: number) => call.noise(z, levels[i]);
  const mix = (a: number, u: Tensor, b: number, v: Tensor) => linearCombination([a, b], [u, v]);
  /** From place i to the one below. */
  const down = async ({ x, y }: Twins, i: number): Promise<Twins> => {
    const { z: a, noise: b } = ddimCoefficients(levels[i], levels[i - 1]);
    const xi = mix(a, x, b, await noise(y, i));
    const yi = mix(a, y, b, await noise(xi, i));
    const below = mix(p, xi, 1 - p, yi);
    return { x: below, y: mix(p, yi, 1 - p, below) };
  };
  /** From the place below i to i. */
  const up = async ({ x, y }: Twins, i: number): Promise<Twins> => {
    const { z: a, noise: b } = ddimCoefficients(levels[i], levels[i - 1]);
    const yi = mix(1 / p, y, -(1 - p) / p, x);
    const xi = mix(1 / p, x, -(1 - p) / p, yi);
    const above = mix(1 / a, yi, -b / a, await noise(xi, i));
    return { x: mix(1 / a, xi, -b / a, await noise(above, i)), y: above };
  };
  const swapped = ({ x, y }: Twins): Twins => ({ x: y, y: x });
  const { carried, ...result } = await runTrajectory<C, Twins>(sampling, {
    initial: () => ({ x: start, y: second }),
    async step(twins, k) {
      const i = direction === "down" ? top - k + 1 : k;
      const one = direction === "down" ? down : up;
      return alternate && i % 2 === 1 ? swapped(await one(swapped(twins), i)) : one(twins, i);
    },
    position: ({ x }) => x,
    placeAfter: (k) => (direction === "down" ? top - k : k),
  });
  return { ...result, pair: [carried.x, carried.y] };
}
