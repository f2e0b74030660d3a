import { type Claim, type ClaimContext, figure, memo } from "@offprint/claims";
import { ddimInvert, ddimSample, rootMeanSquareError } from "@offprint/diffusion";
import type { Tensor } from "@offprint/tensor-core";
import { edictInvert, edictSample } from "../src/index.js";
import { bdia, type Method } from "./method.js";
import { rms, stable, stableGrid, stiffMixture } from "./problems.js";

interface Trip {
  /** Error of up and down again. */
  readonly error: number;
  /** Root mean square of the noise. */
  readonly latent: number;
}

interface Trips {
  readonly ddim: readonly Trip[];
  readonly edict: readonly Trip[];
  /** By gamma: 1, 0.96, 0.9. */
  readonly bdia: readonly (readonly Trip[])[];
  readonly half: Trip;
  readonly halfLong: Trip;
}

const sizes = [10, 20, 50];
const gammas = [1, 0.96, 0.9];

const measured = memo(async ({ rng, onProgress }: ClaimContext, method: Method): Promise<Trips> => {
  const mixture = stiffMixture(rng);
  const denoiser = mixture.denoiser(stable);
  const data = mixture.sample(rng, 64).x;
  const trip = (x: Tensor, top: Tensor): Trip => ({ error: rootMeanSquareError(x, data), latent: rms(top) });
  const byBdia = async (steps: number, gamma: number) => {
    const levels = stableGrid(steps);
    const { pair } = await method.invert(denoiser, data, { levels, gamma });
    return trip((await method.sample(denoiser, pair[0], { levels, gamma, next: pair[1] })).x, pair[0]);
  };
  const byDdim = async (steps: number) => {
    const levels = stableGrid(steps);
    const { x } = await ddimInvert(denoiser, data, { levels });
    return trip((await ddimSample(denoiser, x, { levels })).x, x);
  };
  const byEdict = async (steps: number) => {
    const levels = stableGrid(steps);
    const { pair } = await edictInvert(denoiser, data, { levels });
    return trip((await edictSample(denoiser, pair[0], { levels, next: pair[1] })).x, pair[0]);
  };
  const inTurn = async <T>(items: readonly number[], act: (item: number) => Promise<T>) => {
    const results: T[] = [];
    for (const item of items) results.push(await act(item));
    return results;
  };
  const trips = {
    ddim: await inTurn(sizes, byDdim),
    edict: await inTurn(sizes, byEdict),
    bdia: await inTurn(gammas, (gamma) => inTurn(sizes, (steps) => byBdia(steps, gamma))),
  };
  await onProgress(0.8);
  return { ...trips, half: await byBdia(20, 0.5), halfLong: await byBdia(100, 0.5) };
});

/** The headline: up and down again without loss. */
export function exactInversion(method: Method = bdia): Claim {
  return {
    id: "exact-inversion",
    statement:
      "BDIA inverts exactly, as EDICT does with twice the calls, and its noise looks like noise for gamma near 1; DDIM's inversion drifts",
    source: "Section 4.2, Figure 1",
    paper: "exact",
    async run(context) {
      const { ddim, edict, bdia: byGamma, half, halfLong } = await measured(context, method);
      const errors = [...byGamma.flat(), ...edict].map(({ error }) => error);
      const worst = Math.max(...errors);
      const drift = Math.min(...ddim.map(({ error }) => error));
      const latents = byGamma.slice(0, 2).flatMap((trips) => trips.slice(1).map(({ latent }) => latent));
      const [least, most] = [Math.min(...latents), Math.max(...latents)];
      return {
        measured: worst,
        holds:
          worst < 1e-12 && drift > 0.02 && least > 0.8 && most < 1.25 && half.latent > 1e3 && !(halfLong.error <= 1),
        detail: `Up and down again must lose less than 1e-12 (${figure(worst)}) where DDIM loses more than 0.02 (at least ${figure(drift)}); noise of gamma 1 and 0.96 must have a root mean square in [0.8, 1.25] (${figure(least)} to ${figure(most)}), that of gamma 0.5 explode beyond 1000 (${figure(half.latent)}), and its way back from 100 levels fail (${figure(halfLong.error)}).`,
        tables: [
          {
            title: "Error of the round trip, and root mean square of the noise",
            columns: ["method", ...sizes.map((n) => `${n} steps`), ...sizes.map((n) => `noise, ${n}`)],
            rows: [
              ["DDIM", ...ddim.map(({ error }) => error), ...ddim.map(({ latent }) => latent)],
              ...gammas.map((gamma, j) => [
                `BDIA ${gamma}`,
                ...byGamma[j].map(({ error }) => error),
                ...byGamma[j].map(({ latent }) => latent),
              ]),
              ["EDICT", ...edict.map(({ error }) => error), ...edict.map(({ latent }) => latent)],
            ],
          },
        ],
      };
    },
  };
}
