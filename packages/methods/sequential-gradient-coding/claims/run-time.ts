import { type Claim, figure, meanOf, type Series } from "@offprint/claims";
import { gridKinds, type SelectableKind } from "../src/index.js";
import { type Method, published } from "./method.js";
import { chosenSchemes, type Evaluation } from "./profiles.js";

const names: Readonly<Record<SelectableKind, string>> = {
  uncoded: "uncoded",
  gc: "GC",
  "sr-sgc": "SR-SGC",
  "m-sgc": "M-SGC",
};
const kinds = ["uncoded", "gc", "sr-sgc", "m-sgc"] as const;

/** The grid of workers and rounds of M-SGC, and the totals. */
function plots(evaluated: readonly Evaluation[]): Series[] {
  const [first] = evaluated;
  const { grid } = first.run["m-sgc"];
  const workers = grid[0].length;
  return [
    {
      kind: "heat-map",
      title: `M-SGC, workers and rounds: ${gridKinds.map((kind, k) => `${k} ${kind}`).join(", ")}`,
      x: { label: "round" },
      y: { label: "worker" },
      value: { label: "what it did", range: [0, 4] },
      values: Array.from({ length: workers }, (_, i) => grid.slice(0, 40).map((round) => round[i])),
    },
    {
      kind: "bar",
      title: "Time of 100 jobs",
      category: "matrix of delays",
      categories: evaluated.map((_, k) => String(k + 1)),
      value: { label: "time", unit: "normal rounds" },
      bars: kinds.map((kind) => ({ name: names[kind], values: evaluated.map(({ total }) => total[kind]) })),
    },
  ];
}

/** The order of total run times under slow bursts. */
export function runTime(method: Method = published): Claim {
  return {
    id: "run-time",
    statement:
      "With parameters chosen on a profile, M-SGC finishes well before GC, and GC well before uncoded training",
    source: "Section 4.2, Table 1",
    paper: "16 % less than GC",
    async run(context) {
      const evaluated = await chosenSchemes(context, method);
      const ratios = (a: SelectableKind, b: SelectableKind) => evaluated.map(({ total }) => total[a] / total[b]);
      const [m, coded, sr] = [ratios("m-sgc", "gc"), ratios("gc", "uncoded"), ratios("sr-sgc", "gc")];
      const [meanM, meanCoded, meanSr] = [m, coded, sr].map(meanOf);
      return {
        measured: { "M-SGC / GC": meanM, "GC / uncoded": meanCoded, "SR-SGC / GC": meanSr },
        holds: meanM <= 0.9 && meanCoded <= 0.75 && meanSr <= 1,
        detail:
          `Means over three matrices of 64 workers and 100 jobs: M-SGC takes ${figure(meanM)} of GC's time (0.9 at most), GC ` +
          `${figure(meanCoded)} of the uncoded one's (0.75), SR-SGC ${figure(meanSr)} of GC's (1).`,
        series: plots(evaluated),
        tables: [
          {
            title: "Total times, in normal rounds",
            columns: ["matrix", ...kinds.map((kind) => names[kind]), "M-SGC (B, W, lambda)"],
            rows: evaluated.map(({ total, choices }, k) => {
              const chosen = choices.find(({ kind }) => kind === "m-sgc")?.parameters ?? {};
              return [k + 1, ...kinds.map((kind) => total[kind]), Object.values(chosen).join(", ")];
            }),
          },
        ],
      };
    },
  };
}

/** Waiting for as few as it takes. */
export function waiting(method: Method = published): Claim {
  return {
    id: "waiting",
    statement: "Waiting for as few slow workers as it takes is no slower than waiting for all of them",
    source: "Appendix, wait-out rule",
    paper: "waits for as few as conform",
    async run(context) {
      const evaluated = await chosenSchemes(context, method);
      const sums = (["gc", "m-sgc"] as const).map((kind) => ({
        few: meanOf(evaluated.map(({ waitingForFew }) => waitingForFew[kind])) / 3,
        all: meanOf(evaluated.map(({ waitingForAll }) => waitingForAll[kind])) / 3,
      }));
      const [coded, multiplexed] = sums;
      return {
        measured: multiplexed.few / multiplexed.all,
        holds: sums.every(({ few, all }) => few < all),
        detail:
          `Mean totals on nine matrices of delays, few against all: GC ${figure(coded.few)} and ${figure(coded.all)}, M-SGC ${figure(multiplexed.few)} and ` +
          `${figure(multiplexed.all)}; the first must be smaller.`,
      };
    },
  };
}
