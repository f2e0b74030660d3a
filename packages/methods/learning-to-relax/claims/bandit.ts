import { type Claim, type ClaimTable, figure } from "@offprint/claims";
import { omegaGrid } from "../src/index.js";
import { shiftedSystems, VARIANCE } from "./grid.js";
import { type Method, published } from "./method.js";
import { bestOf, sum, sweepsOf, totalSweeps, windowMeans } from "./totals.js";

/** Without a context: the total against fixed omegas, on the same systems. */
export function bandit(method: Method = published, rounds = { quick: 3000, full: 5000 }): Claim {
  return {
    id: "bandit-against-fixed",
    statement: "Tsallis-INF approaches the best fixed omega, which nobody knows beforehand, and beats poor ones",
    source: "Experiment with i.i.d. shifts",
    paper: "approaches the best fixed omega (about 1.6 for low, 1.8 for high variance)",
    async run({ rng, seed, scale, onProgress }) {
      const T = rounds[scale];
      const settings = omegaGrid();
      const variances = scale === "full" ? (["low", "high"] as const) : (["low"] as const);
      const measured: Record<string, number> = {};
      const tables: ClaimTable[] = [];
      const sentences: string[] = [];
      const curves: { name: string; x: number[]; y: number[] }[] = [];
      let holds = true;
      for (const [k, variance] of variances.entries()) {
        const systems = shiftedSystems(rng.fork(variance), variance, T);
        const losses = await sweepsOf(systems, method.tsallis(settings, `${seed}/${variance}`));
        await onProgress((k + 0.3) / variances.length);
        const learned = sum(losses);
        const totals = new Map<number, number>();
        const at = (omega: number): number => {
          if (!totals.has(omega)) totals.set(omega, totalSweeps(systems, omega));
          return totals.get(omega)!;
        };
        const best = await bestOf(settings, at, scale === "full");
        const [poor, high] = [at(1.4), at(1.8)];
        const early = sum(losses.slice(0, T / 10)) / (T / 10);
        const late = sum(losses.slice(0.4 * T)) / (0.6 * T);
        const ratio = learned / best.cost;
        holds &&= ratio <= 1.25 && learned < 0.7 * poor && late < early;
        if (variance === "low") holds &&= learned < high;
        measured[`Tsallis-INF over best fixed, ${variance} variance`] = ratio;
        measured[`over omega 1.4, ${variance} variance`] = learned / poor;
        sentences.push(
          `${variance} variance, T = ${T}: at most 1.25 of the best grid point, ${best.point} (${figure(ratio)}), below 0.7 of ` +
            `omega = 1.4 (${figure(learned / poor)})${variance === "low" ? `, below omega = 1.8 (${figure(learned / high)})` : ""}, and cheaper per round late than early ` +
            `(${figure(late, 3)} after ${figure(early, 3)}).`,
        );
        tables.push({
          title: `Sweeps over ${T} systems, ${variance} variance (Beta(${VARIANCE[variance]}))`,
          columns: ["omega", "sweeps"],
          rows: [["Tsallis-INF", learned], ...[...totals].sort(([a], [b]) => a - b)],
        });
        curves.push({ name: `${variance} variance`, ...windowMeans(losses, 100) });
      }
      return {
        measured,
        holds,
        detail: sentences.join(" "),
        tables,
        series: [
          {
            kind: "line",
            title: "Tsallis-INF: sweeps per system, means of 100",
            x: { label: "round" },
            y: { label: "sweeps" },
            curves,
          },
        ],
      };
    },
  };
}
