import type { Backend } from "./backend.js";

/**
 * The compiler of this package: one WebAssembly module for a graph, for every primitive. It is loaded when it is needed
 * first. Where a page forbids compiling, graphs are carried out operation by operation.
 */
export const hostBackend: Backend = {
  name: "host",
  device: "host",
  async compile(graph) {
    const { compile } = await import("../host-compiler/index.js");
    return compile(graph);
  },
};
