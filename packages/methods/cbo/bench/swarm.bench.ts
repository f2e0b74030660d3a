// What does a whole run cost, beside the same algorithm in NumPy and SciPy's global optimizers at as many evaluations?
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { compare, python } from "@offprint/bench";
import { canyon, rastrigin } from "../claims/landscapes.js";
import { type CboOptions, cbo } from "../src/index.js";

const script = new URL("cbo_peers.py", import.meta.url);
const peers = python(script);
const [N, D, STEPS] = [200, 10, 1000];
const ten: CboOptions = {
  particles: N,
  maxIterations: STEPS,
  mean: 2,
  std: 2,
  alpha: 100,
  sigma: 4,
  noise: "anisotropic",
};

/** How often each finds the minimiser, at as many evaluations. */
async function accuracy(runs: number): Promise<void> {
  const found: boolean[] = [];
  for (let seed = 0; seed < runs; seed++) {
    const { x } = await cbo({ objective: rastrigin.objective, dimension: D }, { ...ten, seed });
    found.push(Array.from(x.data()).every((v) => Math.abs(v) <= 0.25));
  }
  const ours = found.filter(Boolean).length / runs;
  const sizes = [D, N, STEPS, runs].map(String);
  let others = "Python is not there";
  try {
    others = execFileSync("/usr/bin/python3", [fileURLToPath(script), "success", ...sizes], {
      encoding: "utf8",
    }).trim();
  } catch {}
  console.log(`Rastrigin, d = ${D}: minimiser found with ${N * (STEPS + 1)} evaluations: ours ${ours}, ${others}`);
}

/** Rastrigin's function of one particle, as a user writes it. */
function plain(v: Float64Array): number {
  let total = 0;
  for (let j = 0; j < v.length; j++) total += v[j] * v[j] + 2.5 * (1 - Math.cos(2 * Math.PI * v[j]));
  return total;
}

/** A damped sine through noisy points, from defaults: evaluations beside those of differential evolution. */
async function curveFit(runs: number): Promise<void> {
  let theirs: { evaluations: number; found: number; minimum: number; points: number[]; bounds: [number, number][] };
  try {
    const words = [fileURLToPath(script), "fit", String(runs)];
    theirs = JSON.parse(execFileSync("/usr/bin/python3", words, { encoding: "utf8" }));
  } catch {
    console.log("curve fit: Python is not there");
    return;
  }
  const { points, bounds, minimum } = theirs;
  const misfit = (p: Float64Array) => {
    let square = 0;
    points.forEach((y, i) => {
      const t = (10 * i) / (points.length - 1);
      square += (p[0] * Math.exp(-p[1] * t) * Math.sin(p[2] * t + p[3]) - y) ** 2;
    });
    return square;
  };
  let [evaluations, found] = [0, 0];
  for (let seed = 0; seed < runs; seed++) {
    const run = await cbo({ objective: { perParticle: misfit }, bounds }, { seed });
    evaluations += run.evaluations / runs;
    if (run.best.objective < 1.001 * minimum) found += 1;
  }
  console.log(
    `damped sine, 4 parameters: ours found in ${found} of ${runs} with ${Math.round(evaluations)} evaluations, scipy ` +
      `differential_evolution in ${theirs.found} with ${Math.round(theirs.evaluations)}: ratio ` +
      (evaluations / theirs.evaluations).toFixed(2),
  );
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  await accuracy(20);
  await curveFit(10);
  const valley = canyon();
  const far: CboOptions = { mean: 8, std: 0.5 };
  await compare({
    name: "canyon, 200 particles, 250 steps",
    ours: () => cbo({ objective: valley.objective, dimension: 2 }, far),
    peers: { "CBO in NumPy": peers.peer("canyon", 1) },
    maxSeconds: 0.01,
    maxRatio: 1,
  });
  await compare({
    name: `Rastrigin, d = ${D}, ${N} particles, ${STEPS} steps`,
    ours: () => cbo({ objective: rastrigin.objective, dimension: D }, ten),
    peers: { "CBO in NumPy": peers.peer("rastrigin", 1, N, D, STEPS) },
    maxSeconds: 0.2,
    maxRatio: 0.4,
  });
  // SciPy takes seconds for as many evaluations as a thousand steps.
  const few = { ...ten, maxIterations: STEPS / 10 };
  const evaluations = N * (few.maxIterations + 1);
  await compare({
    name: `the same, ${few.maxIterations} steps, beside others with as many evaluations`,
    ours: () => cbo({ objective: rastrigin.objective, dimension: D }, few),
    peers: {
      "ours, a function of plain numbers": () => cbo({ objective: { perParticle: plain }, dimension: D }, few),
      "scipy differential_evolution": peers.peer("evolution", D, evaluations),
      "scipy dual_annealing": peers.peer("annealing", D, evaluations),
    },
    repetitions: 3,
  });
  // Sixteen times as many coordinates: the cost must grow no faster.
  for (const d of [16, 64, 256]) {
    const wide = { ...ten, particles: 500, maxIterations: 40 };
    await compare({
      name: `growth, float32: d = ${d}, 500 particles, 40 steps`,
      ours: () => cbo({ objective: rastrigin.objective, dimension: d }, { ...wide, dtype: "float32" }),
      peers: { "CBO in NumPy": peers.peer("rastrigin", 1, 500, d, 40) },
      work: { amount: 500 * d * 41, unit: "coordinate" },
      repetitions: 5,
    });
  }
}
