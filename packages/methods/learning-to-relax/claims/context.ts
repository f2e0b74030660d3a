import { type Claim, figure } from "@offprint/claims";
import { omegaGrid } from "../src/index.js";
import { RANGE, shiftedSystems } from "./grid.js";
import { type Method, published } from "./method.js";
import { bestOf, instanceOptimalSweeps, sum, sweepsOf, totalSweeps, windowMeans } from "./totals.js";

/** With the shift as the context: below every fixed omega. */
export function contextualBandit(method: Method = published, rounds = { quick: 2000, full: 5000 }): Claim {
  return {
    id: "context-beats-any-fixed",
    statement: "Told the shift, ChebCB is clearly below any fixed omega and near the optimum of each system",
    source: "Experiment with i.i.d. shifts, high variance",
    paper: "below the best fixed omega, close to the instance optimum; binned Tsallis-INF in between",
    async run({ rng, seed, scale, onProgress }) {
      const T = rounds[scale];
      const settings = omegaGrid();
      const systems = shiftedSystems(rng.fork("systems"), "high", T);
      const cheb = await sweepsOf(systems, method.cheb(settings, `${seed}/cheb`, RANGE));
      await onProgress(0.4);
      const tsallis = await sweepsOf(systems, method.tsallis(settings, `${seed}/tsallis`));
      await onProgress(0.55);
      const binned = await sweepsOf(systems, method.binned(settings, `${seed}/binned`, 5, RANGE));
      await onProgress(0.7);
      const fixed = await bestOf(settings, (omega) => totalSweeps(systems, omega), scale === "full");
      const optimum = instanceOptimalSweeps(systems);
      const totals = {
        "instance optimum": optimum,
        ChebCB: sum(cheb),
        [`omega = ${fixed.point}`]: fixed.cost,
        "binned Tsallis-INF": sum(binned),
        "Tsallis-INF": sum(tsallis),
      };
      const [overFixed, overOptimum] = [sum(cheb) / fixed.cost, sum(cheb) / optimum];
      const binning = sum(binned) / sum(tsallis);
      return {
        measured: totals,
        holds: overFixed < 0.8 && overOptimum <= 1.4 && binning < 1,
        detail:
          `Sweeps over ${T} systems with shifts of high variance: ChebCB must be below 0.8 of the best fixed omega ` +
          `(${figure(overFixed)}) and at most 1.4 of the instance optimum (${figure(overOptimum)}), and Tsallis-INF with bins ` +
          `below the one without (${figure(binning)}).`,
        series: [
          {
            kind: "line",
            title: "Sweeps per system, means of 100",
            x: { label: "round" },
            y: { label: "sweeps" },
            curves: [
              { name: "ChebCB", ...windowMeans(cheb, 100) },
              { name: "binned Tsallis-INF", ...windowMeans(binned, 100) },
              { name: "Tsallis-INF", ...windowMeans(tsallis, 100) },
            ],
          },
          {
            kind: "bar",
            title: `Sweeps over ${T} systems`,
            category: "omega",
            categories: Object.keys(totals),
            value: { label: "sweeps" },
            bars: [{ name: "total", values: Object.values(totals) }],
          },
        ],
      };
    },
  };
}
