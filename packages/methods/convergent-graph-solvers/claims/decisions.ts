import { type Claim, type ClaimContext, figure, medianOf } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import {
  type DecisionGraph,
  decisionSample,
  type GraphModel,
  policyAccuracy,
  randomDecisionGraph,
} from "../src/index.js";
import { type Method, method as ours } from "./method.js";
import { meanSquare, predicted, targetVariance, trained } from "./training.js";

/** A model's errors on graphs larger than those of training. */
interface Judged {
  /** Mean square over the variance of the values. */
  readonly error: number;
  /** Share of the states whose best action is found. */
  readonly accuracy: number;
}

interface Plan {
  readonly key: string;
  readonly steps: number;
  readonly batchSize: number;
  readonly actions: (rng: random.Rng) => number;
}

/** Trains models on graphs of 20 to 50 states and judges them on 100 to 200. */
async function judged(
  context: ClaimContext,
  method: Method,
  models: Readonly<Record<string, GraphModel<unknown>>>,
  { key, steps, batchSize, actions }: Plan,
): Promise<Record<string, Judged>> {
  const draw = (name: string, low: number, high: number): DecisionGraph => {
    const rng = random.rng(`${key}/${name}`);
    const states = rng.randint([], { low, high }).item();
    return randomDecisionGraph({ states, actions: actions(rng), rng });
  };
  const data = Array.from({ length: 24 * batchSize }, (_, i) => decisionSample(draw(`train/${i}`, 20, 51)));
  const large = Array.from({ length: 8 }, (_, i) => draw(`test/${i}`, 100, 201));
  const test = large.map(decisionSample);
  const out: Record<string, Judged> = {};
  for (const [name, model] of Object.entries(models)) {
    const params = await trained(context, method, model, data, { steps, batchSize, learningRate: 5e-3, seed: key });
    const error = (await meanSquare(model, params, test)) / targetVariance(test);
    const values = await predicted(model, params, test);
    const accuracy = large.reduce((total, g, i) => total + policyAccuracy(g, values[i]) / large.length, 0);
    out[name] = { error, accuracy };
    await context.onProgress(Object.keys(out).length / Object.keys(models).length, name);
  }
  return out;
}

function solver(method: Method, full: boolean): GraphModel<unknown> {
  const options = { nodeInputs: 1, edgeInputs: 1, gamma: 0.9, hiddenLayers: 1, hidden: 32 };
  const size = full ? { heads: 32 } : { heads: 16, mlp: [32] };
  return method.convergentGraphSolver({ ...options, ...size, normalise: "attention" }) as GraphModel<unknown>;
}

function network(method: Method, layers: number, full: boolean): GraphModel<unknown> {
  const options = { nodeInputs: 1, edgeInputs: 1, hidden: 32, layers, ...(!full && { mlp: [32] }) };
  return method.graphNetwork(options) as GraphModel<unknown>;
}

/** The criterion of the linear case. */
export function judgeEvaluation(cgs: number, gnn4: number): boolean {
  return cgs <= 0.05 && gnn4 >= 0.4;
}

/** One action for each state: values follow chains of any length, by a linear system. */
export function policyEvaluation(method: Method = ours): Claim {
  return {
    id: "policy-evaluation",
    statement: "Where values come from far away along the graph, CGS learns them and a graph network does not",
    source: "Section 5.2",
    paper: "lowest error beyond the sizes of training",
    async run(context) {
      const full = context.scale === "full";
      const models = { CGS: solver(method, full), "GNN(4)": network(method, 4, full) };
      const plan = { steps: full ? 400 : 120, batchSize: full ? 16 : 6, actions: () => 1 };
      const out = await judged(context, method, models, { ...plan, key: `${context.seed}/evaluation` });
      const [cgs, gnn4] = [out.CGS.error, out["GNN(4)"].error];
      return {
        measured: { CGS: cgs, "GNN(4)": gnn4 },
        holds: judgeEvaluation(cgs, gnn4),
        detail:
          "One action for each state; trained on 20 to 50 states, tested on 100 to 200. Mean square over the variance of the values: CGS must " +
          `come to 0.05 (${figure(cgs)}), GNN(4) must stay above 0.4 (${figure(gnn4)}).`,
      };
    },
  };
}

/** The criterion of the case with choices. */
export function judgeIteration(ratios: readonly number[]): boolean {
  return medianOf(ratios) <= 0.9;
}

/** Two or three actions for each state: the values are the solution of Bellman's equation, which is not linear. */
export function graphValueIteration(method: Method = ours): Claim {
  return {
    id: "graph-value-iteration",
    statement: "CGS predicts the values of decision graphs larger than those of training better than graph networks",
    source: "Section 5.2",
    paper: "lowest error and best policies beyond the sizes of training",
    async run(context) {
      const full = context.scale === "full";
      const seeds = full ? 5 : 1;
      const ratios: number[] = [];
      const rows: (string | number)[][] = [];
      for (let seed = 0; seed < seeds; seed++) {
        const models = {
          CGS: solver(method, full),
          ...(full && { "GNN(2)": network(method, 2, full) }),
          "GNN(4)": network(method, 4, full),
        };
        const plan = {
          steps: full ? 400 : 200,
          batchSize: full ? 16 : 6,
          actions: (rng: random.Rng) => rng.randint([], { low: 2, high: 4 }).item(),
        };
        const out = await judged(context, method, models, { ...plan, key: `${context.seed}/values/${seed}` });
        ratios.push(out.CGS.error / Math.min(out["GNN(2)"]?.error ?? Number.POSITIVE_INFINITY, out["GNN(4)"].error));
        for (const [name, { error, accuracy }] of Object.entries(out)) rows.push([name, seed, error, accuracy]);
        await context.onProgress((seed + 1) / seeds, `seed ${seed}`);
      }
      return {
        measured: { "CGS / better GNN": medianOf(ratios), "policy accuracy of CGS": Number(rows[0][3]) },
        holds: judgeIteration(ratios),
        detail:
          "Two or three actions for each state; trained on 20 to 50 states, tested on 100 to 200. The error of CGS over that of " +
          `${full ? "the better one of GNN(2) and GNN(4)" : "GNN(4)"} must be at most 0.9${full ? ", the median of five seeds" : ""} (${ratios.map((ratio) => figure(ratio)).join(", ")}).`,
        tables: [
          { title: "Large decision graphs", columns: ["model", "seed", "error / variance", "policy accuracy"], rows },
        ],
      };
    },
  };
}
