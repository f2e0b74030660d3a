import { sketchSolve } from "@offprint/adasketch-newton";
import { compare, python } from "@offprint/bench";
import { saddle } from "./problems.js";

/* How many sketch steps are made in a second, and when does solving by them pay beside a dense solve? */

const numpy = python(new URL("peers.py", import.meta.url));
const STEPS = 1e6;

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const { K, b } = saddle(41);
  const handed = { K: K.toArray(), b: b.toArray() };
  await compare({
    name: "a million Kaczmarz steps, d = 41 (NumPy: 4,000)",
    ours: () => sketchSolve(K, b, { tolerance: 0, maxIterations: STEPS }),
    peers: { "NumPy, 4,000 steps": numpy.peer("kaczmarz", handed) },
    work: { amount: STEPS, unit: "steps" },
    minRate: 1e6,
    repetitions: 5,
  });
  await compare({
    name: "100,000 steps with Gaussian vectors, d = 41",
    ours: () => sketchSolve(K, b, { sketch: { kind: "gaussian" }, tolerance: 0, maxIterations: STEPS / 10 }),
    peers: {},
    work: { amount: STEPS / 10, unit: "steps" },
    repetitions: 3,
  });
  for (const d of [100, 500]) {
    const system = saddle(d);
    await compare({
      name: `K x = b to 1e-6, d = ${d}, well conditioned`,
      ours: () => sketchSolve(system.K, system.b, { tolerance: 1e-6 }),
      peers: { "NumPy, dense": numpy.peer("dense", { K: system.K.toArray(), b: system.b.toArray() }) },
      repetitions: 3,
    });
  }
}
