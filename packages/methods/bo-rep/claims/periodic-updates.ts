import { type Claim, figure, meanOf } from "@offprint/claims";
import { random, type Tensor } from "@offprint/tensor-core";
import { type Method, published } from "./method.js";
import { steepProblem } from "./steep-problem.js";

const settings = [
  { period: 1, lowerSteps: 1 },
  { period: 2, lowerSteps: 3 },
  { period: 5, lowerSteps: 3 },
  { period: 10, lowerSteps: 3 },
  { period: 10, lowerSteps: 10 },
] as const;

interface Track {
  readonly error: number;
  readonly iterations: number;
  readonly lowerGradients: number;
}

/** y may rest for a few iterations, and must be made ready at first. */
export function periodicUpdates(method: Method = published): Claim {
  return {
    id: "periodic-updates",
    statement: "Updating y every few iterations is enough, and refining it at first keeps it near the lower solution",
    source: "Section 4, initialization refinement and periodic updates",
    paper: "I = 2, N = 3 in the experiments; lower gradients N / I an iteration",
    async run({ seed, scale }) {
      const bed = steepProblem(random.rng(`${seed}/steep`));
      const track = async (
        how: { period: number; lowerSteps: number },
        refined: boolean,
        k: number,
      ): Promise<Track> => {
        const errors: number[] = [];
        const { iterations, counts } = await method.boRep(bed.problem, {
          ...how,
          ...{ stepLength: 3e-2, lowerStepSize: 0.15, linearStepSize: 0.15, maxIterations: 1000, seed: `${seed}/${k}` },
          refinement: refined && { method: "sgd", steps: 20 },
          evaluate({ x, y }: { readonly x: Tensor; readonly y: Tensor }) {
            const [star, values] = [bed.star(x), y.data()];
            errors.push(Math.hypot(...star.map((s, i) => s - values[i])));
            return { gradientNorm: bed.gradientNorm(x) };
          },
          onProgress: ({ evaluation }) => ((evaluation?.gradientNorm ?? 0) <= 0.2 ? "stop" : undefined),
        });
        return { error: meanOf(errors), iterations, lowerGradients: counts.gradYG };
      };
      const seeds = scale === "full" ? 5 : 2;
      const averaged = async (how: { period: number; lowerSteps: number }, refined = true): Promise<Track> => {
        const all: Track[] = [];
        for (let k = 0; k < seeds; k++) all.push(await track(how, refined, k));
        return {
          error: meanOf(all.map(({ error }) => error)),
          iterations: meanOf(all.map(({ iterations }) => iterations)),
          lowerGradients: meanOf(all.map(({ lowerGradients }) => lowerGradients)),
        };
      };
      const rows: Track[] = [];
      for (const how of settings) rows.push(await averaged(how));
      const unrefined = await averaged(settings[1], false);
      const [, two, five, ten] = rows;
      const increasing = two.error < five.error && five.error < ten.error;
      const change = (row: Track) => Math.abs(row.iterations / two.iterations - 1);
      const holds = increasing && change(five) < 0.05 && change(ten) < 0.2 && unrefined.error > two.error;
      return {
        measured: { "I = 2": two.error, "I = 5": five.error, "I = 10": ten.error, unrefined: unrefined.error },
        holds,
        detail:
          "with N = 3 the mean distance of y from the lower solution must grow with I, the iterations to the target change by " +
          `less than 5 % at I = 5 (${figure(100 * change(five), 2)} %) and 20 % at I = 10 (${figure(100 * change(ten), 2)} %), and ` +
          "the distance be larger without refinement",
        tables: [
          {
            title: "Mean distance of y from the lower solution",
            columns: ["I", "N", "distance", "iterations", "lower gradients"],
            rows: [
              ...settings.map(({ period, lowerSteps }, i) => [
                ...[period, lowerSteps, rows[i].error, rows[i].iterations, rows[i].lowerGradients],
              ]),
              ["2, no refinement", 3, unrefined.error, unrefined.iterations, unrefined.lowerGradients],
            ],
          },
        ],
      };
    },
  };
}
