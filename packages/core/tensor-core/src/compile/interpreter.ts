import type { Graph } from "../graph/graph.js";
import type { Executable } from "./backend.js";

/** Carries a graph out operation by operation, for where it cannot be compiled; `why` says what keeps it from that. */
export function interpreter(graph: Graph, why: string): Required<Executable> {
  return {
    run: async (inputs) => graph.apply(inputs),
    runSync: (inputs) => graph.apply(inputs),
    release: async () => {},
    memory: () => undefined,
    describe: () => `carried out operation by operation: ${why}\n${graph}`,
  };
}
