import { type Claim, figure, memo } from "@offprint/claims";
import { continuousSchedule, gaussianFlow, gaussianMixture, levelGrid } from "@offprint/diffusion";
import { tensor } from "@offprint/tensor-core";
import { bdia, type Method } from "./method.js";

const gammas = [0.25, 0.5, 0.75, 0.9, 1];

interface Errors {
  readonly coarse: { readonly ddim: number; readonly leapfrog: number };
  readonly fine: readonly number[];
  readonly ddim: number;
}

const measured = memo(async ({ onProgress }, method: Method): Promise<Errors> => {
  const mixture = gaussianMixture({ means: [[0.7]], variances: 0.25 });
  const schedule = continuousSchedule();
  const start = tensor([[1.3]], { dtype: "float64" });
  const error = async (steps: number, gamma: number) => {
    const levels = levelGrid(schedule, steps, { clean: "none" });
    const exact = gaussianFlow(mixture, start, levels[steps], levels[0]).item();
    const { x } = await method.sample(mixture.denoiser(schedule), start, { levels, gamma });
    return Math.abs(x.item() - exact);
  };
  const fine: number[] = [];
  for (const gamma of gammas) {
    fine.push(await error(1600, gamma));
    await onProgress(fine.length / 8);
  }
  return {
    coarse: { ddim: await error(800, 0), leapfrog: await error(800, 1) },
    fine,
    ddim: await error(1600, 0),
  };
});

/** The global error's constant, in closed form. */
export function errorConstant(method: Method = bdia): Claim {
  return {
    id: "error-constant",
    statement:
      "The global error of BDIA-DDIM is (1 - gamma) / (1 + gamma) times that of DDIM; with gamma 1 it is of second order",
    source: "Section 4",
    paper: "(1 - gamma) / (1 + gamma)",
    async run(context) {
      const { coarse, fine, ddim } = await measured(context, method);
      const ratios = fine.map((error) => error / ddim);
      const theory = gammas.map((gamma) => (1 - gamma) / (1 + gamma));
      const gap = Math.max(...ratios.map((ratio, i) => Math.abs(ratio - theory[i])));
      const [first, second] = [coarse.ddim / ddim, coarse.leapfrog / fine[4]];
      return {
        measured: gap,
        holds: gap < 0.02 && second > 3.2 && first > 1.8 && first < 2.2,
        detail: `In 1600 steps the ratios must be within 0.02 of the theory (off by ${figure(gap)}); with twice the steps the error of gamma = 1 must fall more than 3.2 times (${figure(second)}), that of DDIM about 2 times (${figure(first)}).`,
        series: [
          {
            kind: "line",
            title: "Error relative to DDIM's, 1600 steps",
            x: { label: "gamma" },
            y: { label: "ratio" },
            curves: [
              { name: "measured", x: [0, ...gammas], y: [1, ...ratios], style: "points" },
              { name: "(1 - gamma) / (1 + gamma)", x: [0, ...gammas], y: [1, ...theory] },
            ],
          },
        ],
      };
    },
  };
}
