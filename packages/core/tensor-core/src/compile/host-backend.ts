import { requireObject } from "../arguments.js";
import type { Graph } from "../graph/graph.js";
import type { Backend, Executable } from "./backend.js";

/**
 * The compiler of this package: one WebAssembly module for a graph, for every primitive. It is loaded when it is needed
 * first. Where a page forbids compiling, graphs are carried out operation by operation.
 */
export const hostBackend: Backend = {
  name: "host",
  device: "host",
  compile: (graph) => load(graph),
};

/**
 * What keeps this package's compiler from working here, such as a page's policy; undefined where nothing does. Without it
 * `jit` and `jitSync` carry graphs out operation by operation.
 */
export async function hostCompilerObstacle(): Promise<string | undefined> {
  const { whyNotCompiling } = await import("../host-compiler/index.js");
  return whyNotCompiling();
}

/** @internal The same with results that stay in memory. */
export const residentHostBackend: Backend = {
  name: "host",
  device: "host",
  compile: (graph) => load(graph, { resident: true }),
};

async function load(graph: Graph, options?: { resident: boolean }): Promise<Executable> {
  requireObject("compile", "graph", graph, "a Graph of trace");
  const { compile } = await import("../host-compiler/index.js");
  return compile(graph, options);
}
