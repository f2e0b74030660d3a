import { type Claim, figure, meanOf } from "@offprint/claims";
import { type Method, published } from "./method.js";
import { competitors, type QuadraticRun, quadraticRun } from "./quadratic-runs.js";

const [C, ROUNDS] = [5, 6];

/** Nearer to the minimum with fewer rounds and queries than federated finite differences. */
export function fewerQueries(method: Method = published): Claim {
  const names = ["FZooS", ...Object.keys(competitors)];
  return {
    id: "fewer-rounds-and-queries",
    statement:
      "FZooS comes nearer to the minimum than FedZO, FedProx and SCAFFOLD in as many rounds, with less than half the queries",
    source: "Figure 2, synthetic quadratics",
    paper: "fewer rounds and queries (curves)",
    async run(context) {
      const problems = context.scale === "full" ? 5 : 2;
      const runs: Record<string, QuadraticRun[]> = {};
      for (const [j, name] of names.entries()) {
        runs[name] = [];
        for (let k = 0; k < problems; k++) runs[name].push(await quadraticRun(context, method, name, C, ROUNDS, k));
        await context.onProgress((j + 1) / names.length);
      }
      const gap = (name: string) => meanOf(runs[name].map(({ gaps }) => gaps[ROUNDS]));
      const queries = (name: string) => runs[name][0].result.queries;
      const best = Object.keys(competitors).reduce((a, b) => (gap(b) < gap(a) ? b : a));
      const quotient = gap("FZooS") / gap(best);
      const part = queries("FZooS") / queries(best);
      return {
        measured: { "gap to that of the best rival": quotient, "part of its queries": part },
        holds: quotient <= 0.5 && part <= 0.5,
        detail:
          `F - F* after ${ROUNDS} rounds (d = 20, 5 clients, C = 5; mean of ${problems}): at most half of the best rival's (${figure(gap("FZooS"))} beside ` +
          `${figure(gap(best))} of ${best}) with at most half of its queries (${queries("FZooS")} beside ${queries(best)}). Rivals have exact gradients: as many directions as coordinates.`,
        series: [
          {
            kind: "line",
            title: "Distance to the minimum by queries",
            x: { label: "queries of all clients" },
            y: { label: "F - F*", scale: "log" },
            curves: names.map((name) => ({
              name,
              x: [0, ...runs[name][0].result.history.map((record) => record.queries)],
              y: runs[name][0].gaps.map((_, r) => meanOf(runs[name].map(({ gaps }) => gaps[r]))),
            })),
          },
        ],
        tables: [
          {
            title: "F - F* after each round",
            columns: ["method", "queries", ...Array.from({ length: ROUNDS + 1 }, (_, r) => `round ${r}`)],
            rows: names.map((name) => [
              name,
              queries(name),
              ...runs[name][0].gaps.map((_, r) => meanOf(runs[name].map(({ gaps }) => gaps[r]))),
            ]),
          },
        ],
      };
    },
  };
}
