import { type Claim, figure, growthOf, largestDifference, leastSecondsInTurn } from "@offprint/claims";
import { abs, max, type Tensor } from "@offprint/tensor-core";
import { projectionNames } from "../src/head.js";
import type { LoraGradients } from "../src/index.js";
import { loraLimits, type Method } from "./method.js";
import { scaledHead } from "./problem.js";

/** The largest error of a gradient by W, as a part of its largest entry. */
export function relativeError(found: LoraGradients, exact: LoraGradients): number {
  const of = (one: Tensor, other: Tensor) => largestDifference(one, other) / max(abs(other)).item();
  return Math.max(...projectionNames.map((name) => of(found.weights[name], exact.weights[name])));
}

const DEGREE = 5;

/** Claim 3: time. */
export function almostLinearTime(method: Method = loraLimits, lengths?: readonly number[]): Claim {
  return {
    id: "almost-linear-time",
    statement: "Below the threshold of norms the gradient takes almost linear time",
    source: "Theorems 4.1 and 4.2",
    paper: { "almost linear": 1, exact: 2 },
    async run({ rng, scale, onProgress }) {
      const sizes = lengths ?? [1024, 2048, 3072, 4096, 8192];
      const exactMost = scale === "full" ? 8192 : 4096;
      const works: (() => Promise<LoraGradients>)[] = [];
      const exactWorks: (() => Promise<LoraGradients>)[] = [];
      let error = 0;
      for (const [i, length] of sizes.entries()) {
        const { x, head, target } = scaledHead(rng, length, 1);
        const fast = () => method.loraGradients(x, head, { target }, { strategy: "almostLinear", degree: DEGREE });
        const slow = () => method.loraGradients(x, head, { target }, { strategy: "exact" });
        const found = await fast();
        works.push(fast);
        if (length <= exactMost) {
          error = Math.max(error, relativeError(found, await slow()));
          exactWorks.push(slow);
        }
        await onProgress((0.3 * (i + 1)) / sizes.length, `L = ${length}`);
      }
      const all = await leastSecondsInTurn([...works, ...exactWorks], true, (done) => onProgress(0.3 + 0.7 * done));
      const [times, exactTimes] = [all.slice(0, works.length), all.slice(works.length)];
      const compared = sizes.slice(0, exactTimes.length);
      const growth = growthOf(sizes, times);
      // What does not grow with the square still shows at the shortest length.
      const exactGrowth = growthOf(compared.slice(-3), exactTimes.slice(-3));
      const faster = exactTimes.every((seconds, i) => times[i] < seconds);
      return {
        measured: { "almost linear": growth, exact: exactGrowth },
        holds: growth <= 1.25 && exactGrowth >= 1.75 && error <= 1e-6 && faster,
        detail:
          `Time grows with the power ${figure(growth)} of the length, at most 1.25 is allowed; exactly computed, from ` +
          `${compared.at(-3) ?? compared[0]} on, with ${figure(exactGrowth)}, at least 1.75 (least of five processor times). Largest relative error ${figure(error)} (at ` +
          `most 1e-6); ${faster ? "faster" : "not faster"} at every length from ${sizes[0]} on.`,
        series: [
          {
            kind: "line",
            title: "Time of one gradient",
            x: { label: "tokens", scale: "log" },
            y: { label: "time", unit: "s", scale: "log" },
            curves: [
              { name: `almost linear, degree ${DEGREE}`, x: sizes, y: times, style: "line-points" },
              { name: "exact", x: compared, y: exactTimes, style: "line-points" },
            ],
          },
        ],
      };
    },
  };
}
