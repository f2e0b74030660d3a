import type { Backend } from "./backend.js";

/** Runs graphs on this package's own kernels, operation by operation. */
export const hostBackend: Backend = {
  name: "host",
  device: "host",
  async compile(graph) {
    return {
      run: async (inputs) => graph.apply(inputs),
      release: async () => {},
    };
  },
};
