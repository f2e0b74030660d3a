import { type Claim, figure } from "@offprint/claims";
import type { NoiseKind } from "../src/index.js";
import { ackley, type Landscape, rastrigin } from "./landscapes.js";
import { type Method, published, rate } from "./method.js";

const [DT, STEPS, CLOSE, START] = [0.01, 1000, 0.25, 2];
/** Once no particle is further than this from the consensus, the outcome is decided. */
const COLLAPSED = 0.05;
const LANDSCAPES: readonly (readonly [Landscape, alpha: number])[] = [
  [rastrigin, 100],
  [ackley, 1000],
];

interface Setting {
  readonly d: number;
  readonly noise: NoiseKind;
  readonly sigma: number;
  readonly particles: number;
  readonly runs: Readonly<Record<"quick" | "full", number>>;
}

const [few, some, all] = [
  { quick: 5, full: 20 },
  { quick: 8, full: 20 },
  { quick: 10, full: 20 },
];
const SETTINGS: readonly Setting[] = [
  { d: 2, noise: "isotropic", sigma: 1, particles: 50, runs: few },
  { d: 2, noise: "isotropic", sigma: 1, particles: 200, runs: few },
  { d: 2, noise: "anisotropic", sigma: 1.6, particles: 50, runs: few },
  { d: 2, noise: "anisotropic", sigma: 1.6, particles: 200, runs: few },
  { d: 10, noise: "isotropic", sigma: 0.5, particles: 200, runs: some },
  { d: 10, noise: "anisotropic", sigma: 4, particles: 50, runs: all },
  { d: 10, noise: "anisotropic", sigma: 4, particles: 200, runs: all },
];

/** In ten dimensions anisotropic noise finds the minimiser, isotropic noise does not. */
export function dimension(method: Method = published, fixedRuns?: number): Claim {
  return {
    id: "anisotropic-noise-in-ten-dimensions",
    statement: "Anisotropic noise scales to ten dimensions, isotropic noise does not; more particles help",
    source: "Section 2, on the kinds of noise",
    paper: "anisotropic beyond a few dimensions",
    async run({ rng, scale, onProgress }) {
      const runsOf = ({ runs }: Setting) => fixedRuns ?? runs[scale];
      const total = SETTINGS.reduce((sum, setting) => sum + 2 * runsOf(setting), 0);
      let done = 0;
      const rates: number[][] = [];
      for (const setting of SETTINGS) {
        const { d, noise, sigma, particles } = setting;
        const own: number[] = [];
        for (const [{ name, objective }, alpha] of LANDSCAPES) {
          const outcomes: boolean[] = [];
          for (let run = 0; run < runsOf(setting); run++) {
            const seed = rng
              .fork(`${name}/${d}/${noise}/${particles}/${run}`)
              .randint([], { high: 2 ** 31 - 1 })
              .item();
            const { x } = await method.cbo(
              { objective, dimension: d },
              {
                particles,
                alpha,
                sigma,
                noise,
                seed,
                dt: DT,
                maxIterations: STEPS,
                recordPath: false,
                mean: START,
                std: START,
                tolerance: COLLAPSED,
              },
            );
            outcomes.push(Array.from(x.data()).every((v) => Math.abs(v) <= CLOSE));
            await onProgress(++done / total);
          }
          own.push(rate(outcomes));
        }
        rates.push(own);
      }
      const mean = (setting: number) => (rates[setting][0] + rates[setting][1]) / 2;
      const [isotropic, fewer, anisotropic] = [mean(4), mean(5), mean(6)];
      const plane = Math.min(mean(0), mean(1), mean(2), mean(3));
      return {
        measured: { isotropic, "anisotropic, N=50": fewer, "anisotropic, N=200": anisotropic },
        holds: anisotropic >= 0.6 && isotropic <= 0.2 && anisotropic - fewer >= 0.15 && plane >= 0.9,
        detail:
          "Part of runs that find the minimiser of Rastrigin's and Ackley's functions, mean of both. In ten dimensions " +
          `anisotropic noise must have 0.6 with 200 particles (${figure(anisotropic)}), 0.15 more than with 50 ` +
          `(${figure(fewer)}), isotropic noise at most 0.2 (${figure(isotropic)}); in two dimensions all must have 0.9 ` +
          `(least ${figure(plane)}).`,
        tables: [
          {
            title: "Part of runs that find the minimiser",
            columns: ["d", "noise", "sigma", "N", "runs", ...LANDSCAPES.map(([{ name }]) => name)],
            rows: SETTINGS.map((setting, i) => {
              const { d, noise, sigma, particles } = setting;
              return [d, noise, sigma, particles, runsOf(setting), ...rates[i]];
            }),
          },
        ],
      };
    },
  };
}
