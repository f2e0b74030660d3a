import { type Claim, figure } from "@offprint/claims";
import { add, cast, mul, random, type Tensor, tree } from "@offprint/tensor-core";
import { gaussianMatrix, largestEigenvalue, proxOf } from "../src/index.js";
import { type ImagesEffort, trainedLpn } from "./images.js";
import { type Method, method } from "./method.js";

/** The largest increase of any problem's objective from one iteration to the next. */
function largestIncrease(history: readonly { readonly objectives?: Float64Array }[]): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 1; k < history.length; k++) {
    const [before, after] = [history[k - 1].objectives, history[k].objectives];
    after?.forEach((value, i) => {
      most = Math.max(most, value - (before?.[i] ?? Number.NaN));
    });
  }
  return most;
}

/** Classical theory holds for plug-and-play with learned proximal networks. `factor` of the safe step is for tests. */
export function convergence(m: Method = method, less?: ImagesEffort, factor = 0.95): Claim {
  return {
    id: "convergence",
    statement:
      "Plug-and-play gradient descent descends data term plus learnt prior at steps below 1 / L, and ADMM with rho above L converges",
    source: "Section 4: convergence guarantees",
    paper: "converges",
    async run(context) {
      const { effort, model, matching, test } = await trainedLpn(context, m, less);
      const images = test.slice([{ stop: 16 }]);
      const rng = random.rng(`${context.seed}/convergence`);
      const measurement = gaussianMatrix(rng, {
        input: [effort.side, effort.side],
        measurements: effort.side ** 2 / 2,
      });
      const exact = measurement.apply(images);
      const y = add(exact, mul(rng.normal(exact.shape, { dtype: "float64" }), 0.02));
      const prox = proxOf(
        model,
        tree.map((p: Tensor) => cast(p, "float64"), matching),
      );
      const lipschitz = await largestEigenvalue(measurement);
      const stepSize = factor / lipschitz;
      const descent = await m.pnpGradientDescent(prox, measurement, y, { stepSize, maxIterations: 150 });
      const safe = largestIncrease(descent.history);
      const { history } = await m.pnpAdmm(prox, measurement, y, { rho: 1.1 * lipschitz, maxIterations: 300 });
      const last = history.at(-1)?.change ?? Number.POSITIVE_INFINITY;
      prox.release();
      return {
        measured: last,
        holds: safe < 1e-10 && last < 1e-5,
        detail: `In 150 iterations at eta = 0.95 / L no image's h + phi / eta may increase by 1e-10 (largest increase ${figure(safe)}); after 300 iterations of ADMM with rho = 1.1 L no pixel may change by 1e-5 in one (${figure(last)}).`,
      };
    },
  };
}
