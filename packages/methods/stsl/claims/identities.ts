import { type Claim, figure, largestDifference } from "@offprint/claims";
import { levelOf } from "@offprint/diffusion";
import { broadcastTo, matrixTrace, type Tensor } from "@offprint/tensor-core";
import { tweedieCovariance } from "../src/index.js";
import { levelOfTime, linearBed, noisy } from "./linear-bed.js";
import { type Method, secondOrder } from "./method.js";

const times = [100, 200, 300, 400, 500, 600, 700, 800, 900];

const gap = (a: Tensor, b: Tensor): number => largestDifference(a.data(), b.data());

/** The covariance and the trace, exactly and by probes. */
export function identities(method: Method = secondOrder): Claim {
  return {
    id: "second-order-identity",
    statement:
      "The covariance of the data given a state is (1 - ab) / ab (I + (1 - ab) H), and the trace of H takes one more score call",
    source: "Section 3, second-order Tweedie",
    paper: "exact",
    async run({ rng, seed, onProgress }) {
      const bed = linearBed(rng);
      const { denoiser } = bed.model;
      const { z0 } = bed.draw(rng, 16);
      const probes = 4000;
      let [covariance, trace, deviations] = [0, 0, 0];
      for (const [i, t] of times.entries()) {
        const level = levelOfTime(t);
        const z = noisy(rng, z0, t);
        const exact = matrixTrace(bed.mixture.hessian(z, level));
        covariance = Math.max(
          covariance,
          gap(tweedieCovariance(denoiser, z, level), bed.mixture.dataCovariance(z, level)),
        );
        const found = await method.trace(denoiser, z, levelOf(level), { trace: "exact" });
        // In units of the noise: the entries of H grow with 1 / sigma^2.
        trace = Math.max(trace, gap(found.mul(level.sigma.square()), exact.mul(level.sigma.square())));
        const one = broadcastTo(z.slice([{ stop: 1 }]), [probes, z.shape[1]]);
        const draws = await method.trace(denoiser, one, levelOf(level), { probeScale: 1e-3, seed: `${seed}/${t}` });
        const mean = draws.mean().item();
        const error = Math.sqrt(draws.sub(mean).square().mean().item() / probes);
        deviations = Math.max(deviations, Math.abs(mean - exact.data()[0]) / error);
        await onProgress((i + 1) / times.length);
      }
      return {
        measured: Math.max(covariance, trace),
        holds: covariance < 1e-9 && trace < 1e-9 && deviations < 4,
        detail: `At nine levels the covariance (${figure(covariance)}) and the trace in units of 1 / sigma^2 (${figure(trace)}) must be those of the mixture to 1e-9, and the mean of 4000 differences along normal directions within 4 standard errors of the trace (${figure(deviations)}).`,
      };
    },
  };
}
