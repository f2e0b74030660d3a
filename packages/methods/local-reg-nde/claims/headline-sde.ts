import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import { digits } from "@offprint/datasets";
import { type DigitsSdeParameters, digitImages, digitsSde, type Effort, type Outcome } from "@offprint/ode/testing";
import { random } from "@offprint/tensor-core";
import type { FitSdeLocallyOptions } from "../src/index.js";
import { judge, type Trio } from "./headline.js";
import { localRegNde, type Method } from "./method.js";

const efforts: Record<ClaimContext["scale"], { effort: Effort; runs: number }> = {
  quick: { effort: { train: 600, test: 597, batch: 30, epochs: 3 }, runs: 1 },
  full: { effort: { train: 1200, test: 597, batch: 100, epochs: 6 }, runs: 2 },
};

/** Weight of the local term of a stochastic step; a shorter training needs a larger one. */
const weights: Record<ClaimContext["scale"], number> = { quick: 30, full: 10 };

async function trained(
  { signal }: ClaimContext,
  method: Method,
  name: string,
  effort: Effort,
  variant: Pick<FitSdeLocallyOptions<DigitsSdeParameters>, "mode" | "lambda">,
): Promise<Outcome> {
  const { batches, test } = digitImages(digits({ dtype: "float64" }), effort);
  const initial = digitsSde.initial(random.rng(`${name}/weights`));
  const options = { ...digitsSde.options(effort, name), ...variant, signal };
  const { params } = await method.fitSdeLocally(digitsSde.model, initial, batches, options);
  return digitsSde.judge(params, test, name);
}

/** The same for stochastic equations: one step with increments of its own. `effort` other than usual is for tests. */
export function headlineSde(method: Method = localRegNde, effort?: Effort): Claim {
  return {
    id: "neural-sde",
    statement:
      "One local step penalised at a random time, with increments of its own, lowers the evaluations of a neural SDE at nearly the same accuracy, by either sampling",
    source: "Table 2; algorithm for stochastic equations",
    paper: "fewer",
    async run(context) {
      const { scale, seed, onProgress } = context;
      const chosen = efforts[scale];
      const all: Trio[] = [];
      for (let run = 0; run < chosen.runs; run++) {
        const of = (mode: "none" | "unbiased" | "biased") =>
          trained(context, method, `${seed}/${run}`, effort ?? chosen.effort, { mode, lambda: weights[scale] });
        all.push({ vanilla: await of("none"), unbiased: await of("unbiased"), biased: await of("biased") });
        await onProgress((run + 1) / chosen.runs);
      }
      const [part, loss] = [0.8, 0.02];
      const ratio = (mode: "unbiased" | "biased") =>
        meanOf(all.map((each) => each[mode].evaluations / each.vanilla.evaluations));
      const accuracy = (kind: keyof Trio) => figure(meanOf(all.map((each) => each[kind].accuracy)));
      return {
        measured: Math.max(ratio("unbiased"), ratio("biased")),
        holds: judge(all, part, loss),
        detail:
          `Evaluations must fall to ${part} at most, unbiased (${figure(ratio("unbiased"))}) and biased (${figure(ratio("biased"))}), ` +
          `with accuracy within ${loss} of ${accuracy("vanilla")} (${accuracy("unbiased")}, ${accuracy("biased")}).`,
      };
    },
  };
}
