import { type Claim, figure } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import { drawDelays, gilbertElliott } from "../src/index.js";
import { digitHalves } from "./digit-halves.js";
import { digitsRegression } from "./digits-job.js";
import { exactRun } from "./exact-run.js";
import { inProcessCluster } from "./in-process-cluster.js";
import { type Method, published } from "./method.js";

const workers = 8;

/** Decoded gradients are those of one process. */
export function exactGradients(method: Method = published): Claim {
  return {
    id: "exact-gradients",
    statement: "The gradients of coded training with stragglers are those of one process, and so is the training",
    source: "Section 3",
    paper: "exact",
    async run({ seed, scale, onProgress }) {
      const [samples, steps] = scale === "full" ? [1797, 200] : [160, 50];
      const data = digitHalves(samples);
      const schemes = [
        method.gc({ workers, stragglers: 2 }),
        method.srSgc({ workers, burst: 2, window: 3, lambda: 5 }),
        method.mSgc({ workers, burst: 2, window: 4, lambda: 3 }),
      ];
      let [gradient, loss, stragglers] = [0, 0, 0];
      for (const [k, scheme] of schemes.entries()) {
        const rng = random.rng(`${seed}/patterns ${k}`);
        const pattern = gilbertElliott(rng, { workers, rounds: steps + scheme.delay, slowing: 0.15, recovery: 0.6 });
        // Whom the scheme lets go on these delays: a random pattern that conforms.
        const silent = method.simulate(scheme, drawDelays(rng, pattern), { jobs: steps }).stragglers;
        const run = await exactRun(method.trainOnCluster, inProcessCluster(digitsRegression), "here#digits", scheme, {
          data,
          silent,
          steps,
        });
        gradient = Math.max(gradient, run.gradientError);
        loss = Math.max(loss, run.lossError);
        stragglers += run.stragglers;
        await onProgress((k + 1) / schemes.length);
      }
      return {
        measured: gradient,
        holds: gradient <= 1e-8 && loss <= 1e-7 && stragglers > 20,
        detail:
          `With ${stragglers} times a worker let go in ${schemes.length} schemes, relative errors of gradients are at most ` +
          `${figure(gradient)} (1e-8 at most), and losses of ${steps} steps differ by ${figure(loss)} (1e-7 at most).`,
      };
    },
  };
}
