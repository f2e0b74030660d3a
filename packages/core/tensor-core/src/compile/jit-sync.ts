import { requireFunction } from "../arguments.js";
import { checkOptions } from "../check-options.js";
import { applied, type TensorFunction, type TreeFunction } from "../function-types.js";
import type { Graph } from "../graph/graph.js";
import { compileSync } from "../host-compiler/index.js";
import type { Tensor } from "../tensor.js";
import * as tree from "../tree.js";
import type { Executable } from "./backend.js";
import type { CompiledProgram } from "./jit.js";
import { traceTree } from "./trace.js";
import { isInside, takeApart, Versions } from "./versions.js";

/** Options of `jitSync`. */
export interface JitSyncOptions {
  /**
   * Whether results share the compiled function's memory: nothing is copied, but the next call overwrites them. For
   * inner loops that use a result up before they call again. Default false.
   */
  views?: boolean;
  /**
   * Whether results of 4 kB or more stay in the memory of compiled functions, as on a device (`await x.host()` reads
   * them), and arguments that lie there are used up by the call. For state that goes around a loop without being
   * copied. A compiled function without this option reads such tensors and leaves them. Default false.
   */
  resident?: boolean;
}

/** A compiled function that returns its results at once. */
export interface JittedSync<F extends TreeFunction> {
  (...args: Parameters<F>): ReturnType<F>;
  /** What `f` was compiled to for such arguments: its loops and its memory, when made a string. */
  program(...args: Parameters<F>): CompiledProgram;
  /** Frees all compiled versions. */
  release(): void;
}

interface Compiled {
  readonly graph: Graph;
  readonly executable: Required<Executable>;
  readonly structure: tree.TreeStructure;
}

/**
 * `jit` with the compiler of this package whose calls return their result, not a promise: for solvers, integrators,
 * callbacks and event handlers. `f` is traced and compiled at its first call for each combination of argument shapes
 * and dtypes. An argument of 32 kB or more that the call before had too, as an argument or a result, is not read again: write
 * new values into a new tensor. Called inside a gradient, `vmap` or trace, `f` itself runs, so that it can be transformed.
 * @throws TraceError where `f` reads a value.
 * @example const slope = jitSync(grad((x) => sum(square(x))));
 */
export function jitSync<F extends TreeFunction = TensorFunction>(f: F, options: JitSyncOptions = {}): JittedSync<F> {
  requireFunction("jitSync", "the first argument", f);
  checkOptions("jitSync", options, ["views", "resident"]);
  const versions = new Versions<Compiled>((structure, specs) => {
    const graph = traceTree(f, structure, specs);
    return { graph, executable: compileSync(graph, options), structure: graph.outputStructure as tree.TreeStructure };
  });
  const call = (...args: Parameters<F>): ReturnType<F> => {
    const inputs = versions.recall(args);
    if (inputs !== undefined) return isInside(inputs) ? applied(f, args) : run(versions.latest.compiled, inputs);
    const given = takeApart(args);
    return isInside(given.inputs) ? applied(f, args) : run(versions.find(given).compiled, given.inputs);
  };
  const run = (compiled: Compiled, inputs: readonly Tensor[]): ReturnType<F> => {
    const results = compiled.executable.runSync(inputs);
    if (compiled.structure.kind === "leaf") return results[0] as ReturnType<F>;
    return tree.unflatten<ReturnType<F>>(compiled.structure, results);
  };
  return Object.assign(call, {
    program(...args: Parameters<F>) {
      const { graph, executable } = versions.find(takeApart(args)).compiled;
      return { graph, bytes: executable.memory(), toString: () => executable.describe() };
    },
    release() {
      for (const { compiled } of versions.clear()) void compiled.executable.release();
    },
  });
}
