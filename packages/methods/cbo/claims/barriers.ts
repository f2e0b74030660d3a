import { type Claim, figure } from "@offprint/claims";
import { hostTensor } from "@offprint/tensor-core";
import { CANYON_WELL, canyon, type Landscape } from "./landscapes.js";
import { distance, type Method, published, rate } from "./method.js";

const START = [8, 8];
const [CLOSE, N, ALPHA, STEPS, DT, SIGMA] = [0.5, 200, 100, 250, 0.01, 1.6];
const DESCENT = { dt: 1e-3, learningRate: 1, maxIterations: 10_000 };
const LANGEVIN_SIGMA = 10;
const RUNS = { quick: 12, full: 50 };

/** Rates of success on one canyon; `false` as a width of hopping means that it is not needed at this scale. */
async function ratesOn(
  method: Method,
  landscape: Landscape,
  runs: number,
  widths: readonly number[],
  seed: (label: string) => number,
  onFraction: (fraction: number) => Promise<void>,
) {
  const problem = { objective: landscape.objective, dimension: 2 };
  const arrived = (x: ArrayLike<number>) => distance(x, [0, 0]) <= CLOSE;
  const shared = { particles: N, alpha: ALPHA, maxIterations: STEPS };
  const paths: Float64Array[] = [];
  const swarm: boolean[] = [];
  const hops = new Map<number, boolean[]>(widths.map((width) => [width, []]));
  for (let run = 0; run < runs; run++) {
    const options = { ...shared, mean: START, std: 0.5, dt: DT, lambda: 1, sigma: SIGMA, noise: "isotropic" } as const;
    const { x, path } = await method.cbo(problem, { ...options, seed: seed(`cbo/${run}`) });
    swarm.push(arrived(x.data()));
    paths.push(path.data() as Float64Array);
    for (const width of widths) {
      const hop = { ...shared, initial: START, width, seed: seed(`hop/${width}/${run}`) };
      hops.get(width)!.push(arrived((await method.consensusHopping(problem, hop)).x.data()));
    }
    await onFraction((run + 1) / runs);
  }
  const descent = await method.gradientDescent(problem, { ...DESCENT, initial: START });
  const chains = hostTensor(
    Float64Array.from({ length: 2 * runs }, (_, i) => START[i % 2]),
    [runs, 2],
    "float64",
  );
  const langevinOptions = { ...DESCENT, initial: chains, langevinSigma: LANGEVIN_SIGMA, seed: seed("langevin") };
  const langevin = await method.gradientDescent(problem, langevinOptions);
  const ends = langevin.x.data();
  return {
    cbo: rate(swarm),
    hops: new Map([...hops].map(([width, outcomes]) => [width, rate(outcomes)])),
    descent: Array.from(descent.x.data()),
    langevin: rate(Array.from({ length: runs }, (_, i) => arrived(ends.subarray(2 * i, 2 * i + 2)))),
    path: paths[0],
    descentPath: descent.path.data(),
  };
}

/** The headline: a swarm crosses the barriers at which gradient descent and Langevin dynamics end. */
export function barriers(method: Method = published, fixedRuns?: number): Claim {
  return {
    id: "crosses-barriers",
    statement: "CBO and wide hopping cross the barriers of the noisy canyon, where gradient descent gets stuck",
    source: "Figures 1 to 3",
    paper: "CBO arrives on both canyons; gradient descent only on the smooth one",
    async run({ rng, scale, onProgress }) {
      const runs = fixedRuns ?? RUNS[scale];
      const seed = (name: string) => (label: string) =>
        rng
          .fork(`${name}/${label}`)
          .randint([], { high: 2 ** 31 - 1 })
          .item();
      const smoothWidths = scale === "full" ? [0.4, 0.6, 0.7] : [];
      const noisyWidths = scale === "full" ? [0.4, 0.6, 0.7] : [0.4, 0.7];
      const smooth = await ratesOn(method, canyon(), runs, smoothWidths, seed("smooth"), (f) => onProgress(f / 2));
      const noisy = await ratesOn(method, canyon(true), runs, noisyWidths, seed("noisy"), (f) =>
        onProgress((1 + f) / 2),
      );
      const [narrow, wide] = [noisy.hops.get(0.4)!, noisy.hops.get(0.7)!];
      const smoothDescent = Math.hypot(...smooth.descent);
      const inWell = distance(noisy.descent, CANYON_WELL);
      const marginOver = Math.min(smooth.cbo - smooth.langevin, noisy.cbo - noisy.langevin);
      const row = (name: string, a: number | undefined, b: number) => [name, a ?? null, b] as const;
      return {
        measured: {
          "CBO smooth": smooth.cbo,
          "CBO noisy": noisy.cbo,
          "Langevin smooth": smooth.langevin,
          "Langevin noisy": noisy.langevin,
          "CH 0.4 noisy": narrow,
          "CH 0.7 noisy": wide,
        },
        holds:
          Math.min(smooth.cbo, noisy.cbo) >= 0.9 &&
          smoothDescent <= CLOSE &&
          Math.hypot(...noisy.descent) > CLOSE &&
          marginOver >= 0.25 &&
          wide >= 0.8 &&
          narrow <= 0.1,
        detail:
          `Part of ${runs} runs from (8, 8) that end within ${CLOSE} of the minimiser. CBO must have 0.9 on both canyons ` +
          `(${figure(smooth.cbo)}, ${figure(noisy.cbo)}) and 0.25 more than Langevin (${figure(smooth.langevin)}, ` +
          `${figure(noisy.langevin)}); gradient descent must arrive on the smooth one (ends at distance ${figure(smoothDescent)}) ` +
          `and not on the noisy one (ends ${figure(inWell)} from the well); on the noisy one hopping of width 0.7 must have ` +
          `0.8 (${figure(wide)}), of 0.4 at most 0.1 (${figure(narrow)}).`,
        tables: [
          {
            title: `Part of ${runs} runs that arrive`,
            columns: ["method", "smooth canyon", "noisy canyon"],
            rows: [
              row("CBO", smooth.cbo, noisy.cbo),
              ...noisyWidths.map((w) => row(`hopping, width ${w}`, smooth.hops.get(w), noisy.hops.get(w)!)),
              row("gradient descent", smoothDescent <= CLOSE ? 1 : 0, Math.hypot(...noisy.descent) <= CLOSE ? 1 : 0),
              row("annealed Langevin", smooth.langevin, noisy.langevin),
            ],
          },
        ],
        series: [
          {
            kind: "line",
            title: "Paths on the noisy canyon",
            x: { label: "x" },
            y: { label: "y" },
            curves: [
              { name: "CBO consensus", ...coordinates(noisy.path) },
              { name: "gradient descent", ...coordinates(noisy.descentPath) },
            ],
          },
        ],
      };
    },
  };
}

function coordinates(path: ArrayLike<number>): { x: number[]; y: number[] } {
  const values = Array.from(path);
  return { x: values.filter((_, i) => i % 2 === 0), y: values.filter((_, i) => i % 2 === 1) };
}
