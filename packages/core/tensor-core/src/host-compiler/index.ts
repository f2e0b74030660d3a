import type { Executable } from "../compile/backend.js";
import { interpreter } from "../compile/interpreter.js";
import type { Graph } from "../graph/graph.js";
import { whyNotCompiling } from "./can-compile.js";
import { type ExecutableOptions, HostExecutable } from "./host-executable.js";
import { compileProgram, type Program } from "./program.js";

export { whyNotCompiling } from "./can-compile.js";

/** Options of `compileSync`. */
export interface CompileOptions extends ExecutableOptions {
  /** The largest number of elements that are kept in locals; another one than usual is for tests. */
  readonly small?: number;
}

/** Programs that need more memory than one WebAssembly memory is sure to hold are carried out operation by operation. */
const MOST_BYTES = 2 ** 31;

/** Compiles a graph at once. */
export function compileSync(graph: Graph, { small, ...options }: CompileOptions = {}): Required<Executable> {
  const obstacle = whyNotCompiling();
  if (obstacle !== undefined) return interpreter(graph, obstacle);
  const program = compileProgram(graph, small);
  if (program.bytes > MOST_BYTES) return interpreter(graph, tooLarge(program));
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(program.module.encode());
  } catch (error) {
    // Some browsers compile small modules only without a promise.
    if (error instanceof RangeError) return interpreter(graph, error.message);
    throw error;
  }
  return new HostExecutable(program, module, options);
}

/** Compiles a graph without blocking for long. */
export async function compile(graph: Graph, options?: ExecutableOptions): Promise<Required<Executable>> {
  const obstacle = whyNotCompiling();
  if (obstacle !== undefined) return interpreter(graph, obstacle);
  const program = compileProgram(graph);
  if (program.bytes > MOST_BYTES) return interpreter(graph, tooLarge(program));
  return new HostExecutable(program, await WebAssembly.compile(program.module.encode()), options);
}

function tooLarge({ bytes }: Program): string {
  return `it needs ${bytes} bytes, and one memory is sure to hold ${MOST_BYTES}`;
}
