import { compare } from "@offprint/bench";
import { sinkhornNewtonSparse } from "@offprint/sinkhorn-newton-sparse";
import { random } from "@offprint/tensor-core";

/* How does the time to machine accuracy grow with the size of the problem, and what does it cost at weak regularisation? */

/** Runs the comparisons. */
export async function run(): Promise<void> {
  for (const n of [250, 500, 1000, 2000]) {
    const cost = random.rng(1).uniform([n, n], { dtype: "float64" });
    await compare({
      name: `n = ${n}, eta = 1200, to 1e-13`,
      ours: () => sinkhornNewtonSparse({ cost }, { eta: 1200 }),
      peers: {},
      work: { amount: n * n, unit: "entries" },
      maxSeconds: n === 500 ? 1 : n === 2000 ? 30 : undefined,
      repetitions: 3,
    });
  }
  for (const eta of [1e2, 1e3, 1e4, 1e5, 1e6]) {
    const cost = random.rng(1).uniform([300, 300], { dtype: "float64" });
    await compare({
      name: `n = 300, eta = ${eta}, to 1e-13`,
      ours: () => sinkhornNewtonSparse({ cost }, { eta }),
      peers: {},
      repetitions: 3,
    });
  }
}
