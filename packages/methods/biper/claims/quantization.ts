import type { Claim } from "@offprint/claims";
import { abs, mean, mul, sin, square } from "@offprint/tensor-core";
import { laplaceMoments, type WaveMoments } from "../src/index.js";

/** Frequencies and scales at which samples are drawn. */
const SETTINGS = [
  [20, 0.01],
  [20, 0.05],
  [20, 0.2],
  [5, 0.05],
  [60, 0.05],
] as const;

const SAMPLES = 2e5;
const LIMIT = 0.5 - 4 / Math.PI ** 2;

/** Where the least error is largest, by golden section. */
function largest(error: (t: number) => number): { t: number; value: number } {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [0.2, 3];
  while (high - low > 1e-9) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (error(a) > error(b)) high = b;
    else low = a;
  }
  return { t: low, value: error(low) };
}

/**
 * The error of one scale for the sines of weights, in closed form.
 * @param moments the formulas; tests put wrong ones in their place
 */
export function quantizationErrorFormula(moments: (omega: number, b: number) => WaveMoments = laplaceMoments): Claim {
  return {
    id: "quantisation-error",
    statement: "The quantisation error is set by the frequency, and bounded whatever the spread of the weights",
    source: "Section 3.3",
    paper: "Figure 3",
    async run({ rng, onProgress }) {
      const rows: [string, number, number, number][] = [];
      let worst = 0;
      for (const [i, [omega, b]] of SETTINGS.entries()) {
        const w = rng.laplace([SAMPLES], { scale: b, dtype: "float64" });
        const wave = abs(sin(mul(w, omega)));
        const first = mean(wave).item();
        const second = mean(square(wave)).item();
        const fourth = mean(square(square(wave))).item();
        const formula = moments(omega, b);
        const variance = second - first * first;
        // Standard errors of the two means, and of the error at the formula's own constant.
        const apart = mean(square(square(wave.sub(formula.first)))).item();
        const error = mean(square(wave.sub(formula.first))).item();
        const deviations = [
          (first - formula.first) / Math.sqrt(variance / SAMPLES),
          (second - formula.second) / Math.sqrt((fourth - second * second) / SAMPLES),
          (error - formula.optimalError) / Math.sqrt((apart - error * error) / SAMPLES),
        ];
        worst = Math.max(worst, ...deviations.map(Math.abs));
        rows.push([`omega ${omega}, b ${b}`, error, formula.optimalError, Math.max(...deviations.map(Math.abs))]);
        await onProgress((i + 1) / SETTINGS.length);
      }
      const top = largest((t) => moments(1, t).optimalError);
      const end = moments(1, 1e4).optimalError;
      const holds =
        worst <= 4 &&
        Math.abs(top.t - 0.955) <= 0.005 &&
        Math.abs(top.value - 0.10283) <= 1e-5 &&
        Math.abs(end - LIMIT) <= 1e-6;
      const t = Array.from({ length: 120 }, (_, k) => 10 ** (-2 + k / 30));
      return {
        measured: {
          "standard errors from the formulas": worst,
          "largest error": top.value,
          "at omega b": top.t,
          "towards, as omega b grows": end,
        },
        holds,
        detail:
          `Moments of ${SAMPLES} samples at five settings are within 4 standard errors of the formulas (largest ${worst.toFixed(2)}); ` +
          `the error is largest at omega b = 0.955 +- 0.005 (${top.t.toFixed(4)}) with 0.10283 +- 1e-5 (${top.value.toFixed(6)}), ` +
          `and tends to 1/2 - 4/pi^2 = ${LIMIT.toFixed(6)} (${end.toFixed(6)}).`,
        series: [
          {
            kind: "line",
            title: "Least quantisation error of Laplace weights",
            x: { label: "omega b", scale: "log" },
            y: { label: "mean squared error" },
            curves: [
              { name: "|sin| by its mean", x: t, y: t.map((v) => moments(1, v).optimalError) },
              { name: "|sin| by 1", x: t, y: t.map((v) => moments(1, v).unitError) },
            ],
          },
        ],
        tables: [{ title: "Samples and formula", columns: ["weights", "error", "formula", "standard errors"], rows }],
      };
    },
  };
}
