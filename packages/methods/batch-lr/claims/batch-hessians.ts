import { type Claim, type ClaimContext, figure } from "@offprint/claims";
import { jitSync, random, type Tensor, take, tensor } from "@offprint/tensor-core";
import { fitNoise } from "../src/index.js";
import { batchOf, type Images, initialNetwork, type Network, networkLoss, trainingImages } from "./digits-network.js";
import { batchLr, type Method } from "./method.js";
import { heavyBall } from "./training-rules.js";

const batches = [4, 8, 16, 32, 64, 128, 256, 512];

/** The network after 300 steps of SGD at 0.3 on batches of 32. */
function trained(images: Images, seed: number): Network {
  let trainee = { network: initialNetwork(random.rng(`hessians/${seed}`)), state: {} as Network };
  trainee = { ...trainee, state: heavyBall.init(trainee.network) };
  const rates = tensor(Float64Array.of(0.3, 0));
  const step = jitSync((at: typeof trainee, own: Tensor, batch: Images) => heavyBall.step(at, own, batch));
  const next = batchOf(images, 32, `hessians/${seed}`);
  for (let k = 0; k < 300; k++) trainee = step(trainee, rates, next(k));
  step.release();
  return trainee.network;
}

/** Figures 1 and 2 at small scale: batch Hessians of a network follow `lambda_1 + c / b`. */
export function batchHessians(
  method: Pick<Method, "estimateNoise" | "batchExtremes"> = batchLr,
  repeats: (context: ClaimContext) => { readonly repeats?: number } = () => ({}),
): Claim {
  return {
    id: "batch-hessians",
    statement: "The extreme eigenvalues of a network's batch Hessians grow as the batch shrinks, as lambda_1 + c / b",
    source: "Section 5, spectra of batch and full Hessians",
    paper: "they follow lambda_1 + c / B",
    async run(context) {
      const { seed, signal, onProgress } = context;
      const images = trainingImages(random.rng(`images/${seed}`));
      const noise = await method.estimateNoise(
        {
          loss: networkLoss,
          params: trained(images, seed),
          samples: images.x.shape[0],
          sample: (chosen) => ({ x: take(images.x, chosen, { axis: 0 }), y: take(images.y, chosen, { axis: 0 }) }),
        },
        { batches, steps: 16, seed, signal, ...repeats(context), onProgress: () => onProgress(0.5) },
      );
      const { lambda1, byBatch, hutchinson = Number.NaN, directional = Number.NaN } = noise;
      const { slope, r2 } = fitNoise(byBatch.filter(({ batch }) => batch >= 8));
      const at = (batch: number) => byBatch.find((each) => each.batch === batch)!;
      const above = byBatch.filter(({ batch }) => batch <= 128).every(({ top }) => top > lambda1);
      const lower = at(4).bottom < at(32).bottom && at(32).bottom < at(256).bottom;
      const predicted = (gamma: number) =>
        byBatch.map(({ effective }) => method.batchExtremes({ lambda1, gamma, effective, branch: "always-spike" }).top);
      return {
        measured: { R2: r2, c: slope, "lambda 1": lambda1 },
        holds: r2 > 0.95 && above && lower,
        detail:
          `Least squares over batches of 8 to 512 must have R2 > 0.95 (${figure(r2)}); means up to 128 must be above ` +
          `lambda_1 (${above ? "they are" : "they are not"}); the smallest eigenvalue must fall from 256 to 32 to 4 ` +
          `(${lower ? "it does" : "it does not"}). c from the directional noise would be ${figure(directional / lambda1)}, from ` +
          `the isotropic ${figure(hutchinson / lambda1)}: only the fit tells the top eigenvalue.`,
        series: [
          {
            kind: "line",
            title: "Largest eigenvalue of batch Hessians",
            x: { label: "batch", scale: "log" },
            y: { label: "mean largest eigenvalue", scale: "log" },
            curves: [
              { name: "measured", x: batches, y: byBatch.map(({ top }) => top) },
              { name: "fit", x: batches, y: byBatch.map(({ effective }) => lambda1 + slope / effective) },
              { name: "directional Gamma", x: batches, y: predicted(directional) },
              { name: "isotropic Gamma", x: batches, y: predicted(hutchinson) },
            ],
          },
        ],
      };
    },
  };
}
