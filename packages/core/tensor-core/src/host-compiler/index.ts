import type { Executable } from "../compile/backend.js";
import { interpreter } from "../compile/interpreter.js";
import type { Graph } from "../graph/graph.js";
import { canCompile } from "./can-compile.js";
import { type ExecutableOptions, HostExecutable } from "./host-executable.js";
import { compileProgram } from "./program.js";

/** Options of `compileSync`. */
export interface CompileOptions extends ExecutableOptions {
  /** The largest number of elements that are kept in locals; another one than usual is for tests. */
  readonly small?: number;
}

/** Programs that need more memory than one WebAssembly memory is sure to hold are carried out operation by operation. */
const MOST_BYTES = 2 ** 31;

/** Compiles a graph at once. */
export function compileSync(graph: Graph, { small, ...options }: CompileOptions = {}): Required<Executable> {
  if (!canCompile()) return interpreter(graph);
  const program = compileProgram(graph, small);
  if (program.bytes > MOST_BYTES) return interpreter(graph);
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(program.module.encode());
  } catch (error) {
    // Some browsers compile small modules only without a promise.
    if (error instanceof RangeError) return interpreter(graph);
    throw error;
  }
  return new HostExecutable(program, module, options);
}

/** Compiles a graph without blocking for long. */
export async function compile(graph: Graph, options?: ExecutableOptions): Promise<Required<Executable>> {
  if (!canCompile()) return interpreter(graph);
  const program = compileProgram(graph);
  if (program.bytes > MOST_BYTES) return interpreter(graph);
  return new HostExecutable(program, await WebAssembly.compile(program.module.encode()), options);
}
