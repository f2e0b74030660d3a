import { ddimInvert, ddimSample } from "@offprint/diffusion";
import { bdiaInvert, bdiaSample } from "../src/index.js";

/** What the claims are about; a test puts something else in its place. */
export interface Method {
  /** From noise to data. */
  readonly sample: typeof bdiaSample;
  /** From data to noise. */
  readonly invert: typeof bdiaInvert;
}

/** The method of the paper. */
export const bdia: Method = { sample: bdiaSample, invert: bdiaInvert };

/** DDIM in the place of the method, as a baseline that cannot do what is claimed. */
export const ddim: Method = {
  async sample(denoiser, initial, { gamma: _, integrator: __, backward: ___, next: ____, ...options } = {}) {
    const result = await ddimSample(denoiser, initial, options);
    return { ...result, pair: [result.x, result.x] };
  },
  async invert(denoiser, initial, { gamma: _, integrator: __, backward: ___, next: ____, ...options } = {}) {
    const result = await ddimInvert(denoiser, initial, options);
    return { ...result, pair: [result.x, result.x] };
  },
};
