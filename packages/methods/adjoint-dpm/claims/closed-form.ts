import { type Claim, type ClaimContext, figure, memo } from "@offprint/claims";
import { discreteSchedule, gaussianMixture, type Level, levelGrid } from "@offprint/diffusion";
import { matmul, mul, square, sum, type Tensor, tensor } from "@offprint/tensor-core";
import type { SolverName } from "../src/index.js";
import { adjointDpm, type Method } from "./method.js";

/** The noise of Stable Diffusion. */
export const stable = discreteSchedule({ betas: "scaledLinear" });

interface Errors {
  readonly x: number;
  readonly noise: number;
  readonly mean: number;
}

interface Setting {
  readonly solver: SolverName;
  readonly steps: number;
  readonly spacing?: "logSnr" | "uniform";
  readonly form?: "raw" | "reparametrised";
}

const settings = {
  rk20: { solver: "rk4", steps: 20 },
  rk40: { solver: "rk4", steps: 40 },
  heun40: { solver: "heun", steps: 40 },
  heun80: { solver: "heun", steps: 80 },
  euler40: { solver: "euler", steps: 40 },
  euler80: { solver: "euler", steps: 80 },
  uniform20: { solver: "rk4", steps: 20, spacing: "uniform" },
  raw20: { solver: "rk4", steps: 20, spacing: "uniform", form: "raw" },
} satisfies Record<string, Setting>;

/** Errors of the gradients of `0.5 |A^T x0|^2` for normal data, where all of them are known. */
const measured = memo(async ({ rng }: ClaimContext, method: Method): Promise<Record<keyof typeof settings, Errors>> => {
  const d = 8;
  const variances = Array.from({ length: d }, (_, i) => 0.01 ** (i / (d - 1)));
  const params = rng.normal([1, d], { dtype: "float64" });
  const a = rng.normal([d, d], { dtype: "float64" });
  const start = rng.normal([4, d], { dtype: "float64" });
  const network = (means: Tensor) => gaussianMixture({ means, variances: [variances] }).denoiser(stable);
  const loss = (x: Tensor) => mul(sum(square(matmul(x, a))), 0.5);
  const gap = (found: Tensor, exact: Tensor) =>
    Math.sqrt(sum(square(found.sub(exact))).item() / sum(square(exact)).item());
  const exactly = (end: Level, top: Level) => {
    const ratio = tensor(
      variances.map((v) => Math.sqrt((end.alpha ** 2 * v + end.sigma ** 2) / (top.alpha ** 2 * v + top.sigma ** 2))),
      { dtype: "float64" },
    );
    const x = params.mul(end.alpha).add(start.sub(params.mul(top.alpha)).mul(ratio));
    const slope = matmul(matmul(x, a), a.transpose());
    return {
      x,
      noise: slope.mul(ratio),
      mean: sum(slope.mul(ratio.mul(-top.alpha).add(end.alpha)), { axis: 0, keepDims: true }),
    };
  };
  const results = {} as Record<keyof typeof settings, Errors>;
  for (const [name, setting] of Object.entries(settings) as [keyof typeof settings, Setting][]) {
    const { solver, steps, spacing = "logSnr", form = "reparametrised" } = setting;
    const levels = levelGrid(stable, steps, { spacing, clean: "none" });
    const exact = exactly(levels[0], levels[steps]);
    const found = await method.valueAndGradient({ network, params }, loss, start, { levels, solver, form });
    results[name] = {
      x: gap(found.x, exact.x),
      noise: gap(found.noise, exact.noise),
      mean: gap(found.params as Tensor, exact.mean),
    };
  }
  return results;
});

/** Gradients against their closed forms. */
export function closedForm(method: Method = adjointDpm): Claim {
  return {
    id: "closed-form",
    statement: "The adjoint equation gives the gradients by noise and parameters, with the order of its solver",
    source: "Section 3.2, equations 9 to 12",
    paper: "exact up to the solver",
    async run(context) {
      const errors = await measured(context, method);
      const order = (coarse: keyof typeof settings, fine: keyof typeof settings) =>
        Math.log2(errors[coarse].noise / errors[fine].noise);
      const orders = [order("euler40", "euler80"), order("heun40", "heun80"), order("rk20", "rk40")];
      const off = Math.max(...orders.map((each, i) => Math.abs(each - [1, 2, 4][i])));
      const { x, noise, mean } = errors.rk40;
      const worst = Math.max(x, noise, mean);
      return {
        measured: worst,
        holds: off < 0.3 && worst < 2e-5,
        detail: `Orders of the gradient by the noise must be within 0.3 of 1, 2 and 4 (${orders.map((each) => figure(each)).join(", ")}), and with rk4 in 40 steps all errors below 2e-5 (x0 ${figure(x)}, noise ${figure(noise)}, mean ${figure(mean)}).`,
        tables: [
          {
            title: "Relative errors",
            columns: ["solver, steps", "x0", "by the noise", "by the mean"],
            rows: Object.entries(errors).map(([name, each]) => [name, each.x, each.noise, each.mean]),
          },
        ],
      };
    },
  };
}

/** The change of variables against the raw equation. */
export function reparametrisation(method: Method = adjointDpm): Claim {
  return {
    id: "reparametrisation",
    statement:
      "In the variables of the exponential integrator gradients are more accurate than those of the raw equation",
    source: "Section 3.3",
    paper: "non-stiff",
    async run(context) {
      const { rk20, uniform20, raw20 } = await measured(context, method);
      const [same, best] = [raw20.noise / uniform20.noise, raw20.noise / rk20.noise];
      return {
        measured: same,
        holds: same >= 3 && best >= 8,
        detail: `With rk4 in 20 steps the error by the noise must be at least 3 times less on the same grid (${figure(same)}) and 8 times on the logarithmic one (${figure(best)}).`,
      };
    },
  };
}
