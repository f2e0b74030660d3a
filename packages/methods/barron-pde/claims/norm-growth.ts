import { type Claim, figure } from "@offprint/claims";
import type { DescentResult, SparseFourier } from "../src/index.js";
import { type Method, published } from "./method.js";
import { cubic, fourCosines } from "./problems.js";

/** The three recursions beside the measured norms, the start first. */
function recursions(method: Method, f: SparseFourier, { history, u }: DescentResult) {
  const stepSize = history.map((record) => record.stepSize);
  const composition = Math.max(...history.map((record) => record.composition));
  const iterations = history.length;
  const forced = f.precondition();
  const common = { stepSize, f: f.barron() };
  return {
    measured: [Number.NEGATIVE_INFINITY, ...history.map(({ barron }) => Math.log10(barron))],
    general: method.barronRecursion(
      "general",
      { ...common, dimension: u.dimension, composition, degree: 3 },
      iterations,
    ),
    split: method.barronRecursion("split", { ...common, growth: [{ coefficient: 1, power: 3 }] }, iterations),
    refined: method.barronRecursion(
      "refined",
      { stepSize, beta: 1, wienerF: forced.wiener(), barronF: forced.barron() },
      iterations,
    ),
  };
}

/** Claim 4: what the norm does, and what can be said of it beforehand. */
export function normGrowth(method: Method = published): Claim {
  return {
    id: "norm-growth",
    statement:
      "Every recursion bounds the Barron norm of every iterate: the paper's doubly exponentially, one through the Wiener norm without growth for small data",
    source: "Section 5, Lemmas on the Barron norm; abstract",
    paper: "double exponential in log(1/eps)",
    async run({ onProgress, signal }) {
      const small = fourCosines(4, 1.2);
      const run = await method.descend(cubic, small, {
        ...{ stepSize: 0.5, maxIterations: 12, tolerance: 0, pruneTolerance: 1e-9, signal },
      });
      await onProgress(0.5);
      const bounds = recursions(method, small, run);
      const large = fourCosines(4);
      const automatic = await method.descend(cubic, large, {
        maxIterations: 12,
        tolerance: 0,
        pruneTolerance: 1e-7,
        signal,
      });
      const others = recursions(method, large, automatic);
      const dominated = [bounds, others].every((each) =>
        [each.general, each.split, each.refined].every((bound) =>
          each.measured.every((norm, t) => bound[t] >= norm - 1e-12),
        ),
      );
      // The logarithm of the split bound triples.
      const rises = Array.from({ length: 6 }, (_, i) => Math.log(bounds.split[i + 5] / bounds.split[i + 4]));
      const slope = rises.reduce((sum, each) => sum + each, 0) / rises.length / Math.log(3);
      const [last, refined] = [bounds.measured, bounds.refined].map((each) => 10 ** Number(each.at(-1)));
      return {
        measured: { norm: last, "refined bound": refined, "slope of log log of the split bound, to log 3": slope },
        holds: dominated && refined / last < 1.05 && Math.abs(slope - 1) < 0.1 && bounds.split[4] > 20,
        detail:
          `All bounds must lie above the measured norms at small and at large data (they ${dominated ? "do" : "do not"}); for small data the refined bound must be within ` +
          `5 % after 12 iterations (${figure(refined)}, measured ${figure(last)}), the split bound above 1e20 after four (1e${figure(bounds.split[4])}) and its logarithm triple in each (slope ${figure(slope)} log 3, within 10 %).`,
        series: [
          {
            kind: "line",
            title: "Barron norm of iterates, d = 4, small data",
            x: { label: "iteration" },
            y: { label: "log10 of the norm", range: [0, 6] },
            curves: (["measured", "refined", "split", "general"] as const).map((name) => ({
              name: name === "measured" ? name : `${name} bound`,
              x: [1, 2, 3, 4, 5, 6],
              y: Array.from(bounds[name].slice(1, 7), (each) => (each > 6 ? null : each)),
              style: "line-points" as const,
            })),
          },
        ],
      };
    },
  };
}
