import type { Graph } from "../graph/graph.js";
import type { Executable } from "./backend.js";

/** Carries a graph out operation by operation, for where nothing can be compiled. */
export function interpreter(graph: Graph): Required<Executable> {
  return {
    run: async (inputs) => graph.apply(inputs),
    runSync: (inputs) => graph.apply(inputs),
    release: async () => {},
    describe: () => `carried out operation by operation, since it cannot be compiled here:\n${graph}`,
  };
}
