import { type Claim, figure, meanOf } from "@offprint/claims";
import {
  add,
  div,
  einsum,
  grad,
  jit,
  linalg,
  matmul,
  mul,
  square,
  sub,
  sum,
  swapAxes,
  type Tensor,
} from "@offprint/tensor-core";
import { deviation, exactLogLikelihood, type LinearBed, levelOfTime, linearBed, noisy } from "./linear-bed.js";
import { type Method, secondOrder } from "./method.js";

/** Whether the bounds are bounds. */
export function bound(method: Method = secondOrder): Claim {
  return {
    id: "bound",
    statement:
      "The surrogate never exceeds the likelihood of the measurements given the state; what first-order methods take does",
    source: "Theorem 3.1",
    paper: "a lower bound",
    async run({ rng, scale, onProgress }) {
      const bed = linearBed(rng);
      const { z0, y } = bed.draw(rng, scale === "full" ? 512 : 128);
      const times = [100, 200, 300, 400, 500, 600, 700, 800, 900];
      const violations: number[][] = [];
      for (const [i, t] of times.entries()) {
        const z = noisy(rng, z0, t);
        const exact = exactLogLikelihood(bed, y, z, t).data();
        const found = method.logLikelihood(bed.model, bed.measurement, y, z, levelOfTime(t), { deviation });
        const share = (values: Tensor) =>
          meanOf(Array.from(values.data(), (v, j) => (v > exact[j] + 1e-9 * Math.abs(exact[j]) ? 1 : 0)));
        violations.push([share(found.surrogate), share(found.jensen), share(found.firstOrder)]);
        await onProgress((i + 1) / times.length);
      }
      const worst = Math.max(...violations.flatMap((shares) => shares.slice(0, 2)));
      const early = meanOf(violations.slice(0, 3).map(([, , firstOrder]) => firstOrder));
      return {
        measured: worst,
        holds: worst === 0 && early >= 0.05,
        detail: `At no state of nine levels may the surrogate or Jensen's bound exceed log p(y | z) (${figure(100 * worst)} %); the first-order likelihood must at 5 % or more of those of t = 100, 200, 300 (${figure(100 * early)} %).`,
        tables: [
          {
            title: "States at which log p(y | z) is exceeded, in percent",
            columns: ["t", "surrogate", "Jensen's bound", "first order"],
            rows: times.map((t, i) => [t, ...violations[i].map((share) => 100 * share)]),
          },
        ],
      };
    },
  };
}

/** `E[|y - A D(z0)|^2 | z]` itself. */
function expectedMisfit({ mixture, matrix }: LinearBed, y: Tensor, z: Tensor, t: number): Tensor {
  const level = levelOfTime(t);
  const missed = sub(y, matmul(mixture.data(z, level), swapAxes(matrix, 0, 1)));
  const spread = einsum("ri,bij,rj->b", matrix, mixture.dataCovariance(z, level), matrix);
  return add(sum(square(missed), 1), spread);
}

/** Mean over samples of the cosine of two gradients. */
function meanCosine(a: Tensor, b: Tensor): number {
  const dot = sum(mul(a, b), 1);
  return div(dot, mul(sum(square(a), 1).sqrt(), sum(square(b), 1).sqrt()))
    .mean()
    .item();
}

/** Where gradients point. */
export function bias(method: Method = secondOrder): Claim {
  return {
    id: "bias-of-first-order",
    statement:
      "The gradient of the surrogate points where the expected misfit falls; that of first-order methods is biased",
    source: "Section 3.2",
    paper: "bias of first-order Tweedie",
    async run({ rng, scale, onProgress }) {
      const bed = linearBed(rng);
      const { z0, y } = bed.draw(rng, scale === "full" ? 512 : 128);
      const eigenvalues = linalg.eigvalsh(matmul(swapAxes(bed.matrix, 0, 1), bed.matrix));
      const lambda = meanOf(eigenvalues.data());
      const times = [200, 300, 400, 500];
      const rows: [number, number, number][] = [];
      for (const [i, t] of times.entries()) {
        const z = noisy(rng, z0, t);
        const slopes = jit((states: Tensor) => {
          const of = (which: "firstOrder" | "surrogate") =>
            grad((x: Tensor) =>
              sum(
                method.logLikelihood(bed.model, bed.measurement, y, x, levelOfTime(t), { deviation, lambda })[which],
              ).neg(),
            )(states);
          const exact = grad((x: Tensor) => sum(expectedMisfit(bed, y, x, t)))(states);
          return { exact, firstOrder: of("firstOrder"), surrogate: of("surrogate") };
        });
        const { exact, firstOrder, surrogate } = await slopes(z);
        rows.push([t, meanCosine(exact, firstOrder), meanCosine(exact, surrogate)]);
        await onProgress((i + 1) / times.length);
      }
      const judged = rows.filter(([t]) => t === 300 || t === 400);
      const gain = Math.min(...judged.map(([, first, second]) => second - first));
      const least = Math.min(...judged.map(([, , second]) => second));
      return {
        measured: least,
        holds: gain > 0.1 && least > 0.93,
        detail: `At t = 300 and 400 the mean cosine with the gradient of E[|y - A D(z0)|^2 | z] must be above 0.93 for the surrogate (${figure(least)}) and 0.1 above that of the first-order gradient (${figure(gain)}).`,
        tables: [{ title: "Mean cosine with the exact gradient", columns: ["t", "first order", "surrogate"], rows }],
      };
    },
  };
}
