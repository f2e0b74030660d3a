import { type Claim, type ClaimContext, figure } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import type { FederatedResult, FzoosOptions } from "../src/index.js";
import { digitAttack } from "./digit-fleet.js";
import { type Method, published } from "./method.js";

const ROUNDS = 6;
/** The rivals' round at which they have as many queries as FZooS after all of its. */
const EQUAL = 3;
const common = { maxIterations: ROUNDS, localSteps: 5, optimizer: { kind: "adam", learningRate: 0.02 } } as const;
const settings: FzoosOptions = {
  features: 1000,
  maxLocalQueries: 100,
  maxFeatureQueries: 200,
  active: { local: { candidates: 20 }, server: { count: 25, candidates: 50 } },
};

interface Run {
  readonly margins: readonly number[];
  readonly queries: number;
}

async function attacked({ seed, signal }: ClaimContext, method: Method, k: number): Promise<Record<string, Run>> {
  const { clients, dimension } = digitAttack(random.rng(`${seed}/attack/${k}`));
  const initial = new Float64Array(dimension).fill(0.5);
  const problem = { clients, initial, bounds: [0, 1] as const };
  const start = clients.reduce((sum, f) => sum + f(initial), 0) / clients.length;
  const shared = { ...common, seed: `${seed}/${k}`, signal };
  const run = ({ history, queries }: FederatedResult): Run => ({
    margins: [start, ...history.map(({ objective }) => objective)],
    queries,
  });
  return {
    FZooS: run(await method.fzoos(problem, { ...settings, ...shared })),
    FedZO: run(await method.fedZo(problem, shared)),
    "SCAFFOLD II": run(await method.fedZo(problem, { ...shared, correction: "scaffold2" })),
  };
}

/** Deceiving several networks at once by their answers alone. */
export function blackBoxAttack(method: Method = published): Claim {
  return {
    id: "black-box-attack",
    statement: "FZooS deceives the networks of five clients with fewer queries than FedZO and SCAFFOLD",
    source: "Figure 3, black-box attack",
    paper: "higher success rate at equal rounds and queries (curves)",
    async run(context) {
      const trials = context.scale === "full" ? 5 : 1;
      const rows: Record<string, Run>[] = [];
      for (let k = 0; k < trials; k++) {
        rows.push(await attacked(context, method, k));
        await context.onProgress((k + 1) / trials);
      }
      const fall = ({ margins }: Run, round: number) => margins[0] - margins[round];
      const rivals = ["FedZO", "SCAFFOLD II"];
      const below = rows.every((row) => rivals.every((name) => row.FZooS.margins[ROUNDS] < row[name].margins[ROUNDS]));
      const quotients = rows.map((row) =>
        Math.min(...rivals.map((name) => fall(row.FZooS, ROUNDS) / Math.max(1e-9, fall(row[name], EQUAL)))),
      );
      const least = Math.min(...quotients);
      return {
        measured: { "fall to the rivals' at equal queries": least },
        holds: below && least >= 1.4,
        detail:
          `8 x 8 digits, five networks, ${trials} images: after ${ROUNDS} rounds the mean margin must be below that of FedZO and SCAFFOLD II with twice the queries ` +
          `(${rows.map((row) => ["FZooS", ...rivals].map((name) => figure(row[name].margins[ROUNDS])).join(", ")).join("; ")}), and ` +
          `its fall at least 1.4 times theirs at equal queries (${quotients.map((q) => figure(q)).join(", ")}).`,
        series: [
          {
            kind: "line",
            title: "Mean margin of the networks; below 0 they are deceived",
            x: { label: "queries of all clients" },
            y: { label: "margin" },
            curves: Object.entries(rows[0]).map(([name, { margins, queries }]) => ({
              name,
              x: margins.map((_, r) => (queries * r) / ROUNDS),
              y: margins,
            })),
          },
        ],
      };
    },
  };
}
