// What does a whole run cost, beside the same algorithm in NumPy and SciPy's global optimizers at as many evaluations?
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { compare, python } from "@offprint/bench";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { canyon, rastrigin } from "../claims/landscapes.js";
import { type CboOptions, cbo } from "../src/index.js";

const script = new URL("cbo_peers.py", import.meta.url);
const peers = python(script);
const [N, D, STEPS] = [200, 10, 1000];
const ten: CboOptions = { particles: N, steps: STEPS, mean: 2, std: 2, alpha: 100, sigma: 4, noise: "anisotropic" };

/** How often each finds the minimiser, at as many evaluations. */
async function accuracy(runs: number): Promise<void> {
  const found: boolean[] = [];
  for (let seed = 0; seed < runs; seed++) {
    const { x } = await cbo({ objective: { perParticle: rastrigin.value }, dimension: D }, { ...ten, seed });
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

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const backend = await onnxRuntime({ device: "cpu", threads: 1 });
  await accuracy(20);
  const valley = canyon();
  const far: CboOptions = { mean: 8, std: 0.5 };
  await compare({
    name: "canyon, 200 particles, 250 steps",
    ours: () => cbo({ objective: { perParticle: valley.value }, dimension: 2 }, far),
    peers: { "CBO in NumPy": peers.peer("canyon", 1) },
    maxSeconds: 0.01,
    maxRatio: 1,
  });
  await compare({
    name: "canyon, the same, compiled (compilation included)",
    ours: () => cbo({ objective: valley.objective, dimension: 2 }, { ...far, backend, dtype: "float32" }),
    peers: { "in memory, tensors": () => cbo({ objective: valley.objective, dimension: 2 }, far) },
    repetitions: 7,
  });
  const evaluations = N * (STEPS + 1);
  await compare({
    name: `Rastrigin, d = ${D}, ${N} particles, ${STEPS} steps`,
    ours: () => cbo({ objective: { perParticle: rastrigin.value }, dimension: D }, ten),
    peers: {
      "CBO in NumPy": peers.peer("rastrigin", 1, N, D, STEPS),
      "scipy differential_evolution": peers.peer("evolution", D, evaluations),
      "scipy dual_annealing": peers.peer("annealing", D, evaluations),
    },
    maxSeconds: 0.2,
    maxRatio: 1,
    repetitions: 5,
  });
  for (const dtype of ["float64", "float32"] as const) {
    await compare({
      name: `Rastrigin, the same, compiled, ${dtype}`,
      ours: () => cbo({ objective: rastrigin.objective, dimension: D }, { ...ten, backend, dtype }),
      peers: { "CBO in NumPy": peers.peer("rastrigin", 1, N, D, STEPS) },
      maxRatio: 1,
      repetitions: 5,
    });
  }
  // Sixteen times as many coordinates: the cost must grow no faster.
  for (const d of [16, 64, 256]) {
    const wide = { ...ten, particles: 500, steps: 40 };
    await compare({
      name: `growth, compiled float32: d = ${d}, 500 particles, 40 steps`,
      ours: () => cbo({ objective: rastrigin.objective, dimension: d }, { ...wide, backend, dtype: "float32" }),
      peers: { "CBO in NumPy": peers.peer("rastrigin", 1, 500, d, 40) },
      work: { amount: 500 * d * 41, unit: "coordinate" },
      repetitions: 5,
    });
  }
  await backend.release();
}
