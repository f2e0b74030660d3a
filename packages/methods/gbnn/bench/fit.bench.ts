import { compare, python } from "@offprint/bench";
import { friedman } from "../claims/problems.js";
import { fitRegressor } from "../src/index.js";

const sklearn = python(new URL("gbnn_peers.py", import.meta.url));

/** Fitting Friedman's function, beside the same boosting on scikit-learn: as samples, and as units grow. */
export async function run() {
  for (const [n, units] of [
    [280, 60],
    [280, 240],
    [2240, 60],
  ]) {
    const { inputs, targets } = friedman(0, Math.round(n / 0.7));
    await compare({
      name: `Friedman, ${n} samples, ${units} units in blocks of 3`,
      ours: () => fitRegressor(inputs, targets, { totalUnits: units, unitsPerStep: 3, subsample: 1 }),
      peers: { "scikit-learn": sklearn.peer("boost", n, units, 3) },
      maxRatio: 1,
      repetitions: 5,
    });
  }
}
