import { requireFunction } from "../arguments.js";
import { checkOptions } from "../check-options.js";
import { applied, type TensorFunction, type TreeFunction } from "../function-types.js";
import type { Graph } from "../graph/graph.js";
import type { Tensor } from "../tensor.js";
import * as tree from "../tree.js";
import type { Backend, Executable } from "./backend.js";
import { hostBackend, residentHostBackend } from "./host-backend.js";
import { traceTree } from "./trace.js";
import { isInside, takeApart, type Version, Versions } from "./versions.js";

/** Options of `jit`. */
export interface JitOptions {
  /** What compiles and runs the graph. Default: the compiler of this package, which needs nothing else. */
  backend?: Backend;
  /**
   * With the compiler of this package: whether results of 4 kB or more stay in the memory of compiled functions, as on
   * a device, and arguments that lie there are used up by the call. See `JitSyncOptions.resident`. Default false.
   */
  resident?: boolean;
}

/** A compiled function: the traced function with promised results. */
export interface Jitted<F extends TreeFunction> {
  (...args: Parameters<F>): Promise<Awaited<ReturnType<F>>>;
  /** What `f` was compiled to for such arguments: its graph, and what the backend tells of it, when made a string. */
  program(...args: Parameters<F>): Promise<CompiledProgram>;
  /** Frees all compiled versions. */
  release(): Promise<void>;
}

/** What a function was compiled to for arguments of certain shapes. */
export interface CompiledProgram {
  /** The operations of the function. */
  readonly graph: Graph;
  /** Bytes of memory that a call needs, all that lies in it at once; undefined where the backend does not tell. */
  readonly bytes: number | undefined;
  /** How the backend carries them out, such as fused loops and the plan of memory; else the graph. */
  toString(): string;
}

interface Compiled {
  readonly graph: Graph;
  readonly executable: Executable;
}

interface Pending {
  readonly promise: Promise<Compiled>;
  /** The same, once it is there. */
  ready?: Compiled;
}

/**
 * `f`, traced and compiled once for each combination of argument shapes and dtypes, then run as a whole. Arguments and
 * results are trees of tensors; numbers in them are inputs too. Called inside a gradient, `vmap` or trace, `f` itself
 * runs, so that it can be transformed, and its result is there at once. Loops that run long give way to timers and
 * events. See `jitSync` for calls that return their result at once everywhere.
 * @throws TraceError where `f` reads a value; whatever the backend throws for a graph it cannot run.
 * @example const step = jit((w, x) => sub(w, mul(grad(loss)(w, x), 0.1)), { backend });
 */
export function jit<F extends TreeFunction = TensorFunction>(f: F, options: JitOptions = {}): Jitted<F> {
  requireFunction("jit", "the first argument", f);
  checkOptions("jit", options, ["backend", "resident"]);
  const backend = options.backend ?? (options.resident ? residentHostBackend : hostBackend);
  const versions = new Versions<Pending>((structure, specs) => {
    const compile = async (): Promise<Compiled> => {
      const graph = traceTree(f, structure, specs);
      return { graph, executable: await backend.compile(graph) };
    };
    const pending: Pending = { promise: compile() };
    pending.promise.then(
      (compiled) => {
        pending.ready = compiled;
      },
      () => {},
    );
    return pending;
  });
  const settle = async (version: Version<Pending>): Promise<Compiled> => {
    try {
      return version.compiled.ready ?? (await version.compiled.promise);
    } catch (error) {
      versions.forget(version);
      throw error;
    }
  };
  const run = async (version: Version<Pending>, inputs: readonly Tensor[]): Promise<Awaited<ReturnType<F>>> => {
    const { graph, executable } = await settle(version);
    const results = await executable.run(inputs);
    return tree.unflatten<Awaited<ReturnType<F>>>(graph.outputStructure as tree.TreeStructure, results);
  };
  const plain = (args: readonly unknown[]) => applied(f, args) as Promise<Awaited<ReturnType<F>>>;
  // Inside a transformation the result is there at once, which who awaits it does not see.
  const call = (...args: Parameters<F>): Promise<Awaited<ReturnType<F>>> => {
    const inputs = versions.recall(args);
    if (inputs !== undefined) return isInside(inputs) ? plain(args) : run(versions.latest, inputs);
    const given = takeApart(args);
    return isInside(given.inputs) ? plain(args) : run(versions.find(given), given.inputs);
  };
  return Object.assign(call, {
    async program(...args: Parameters<F>) {
      const { graph, executable } = await settle(versions.find(takeApart(args)));
      return { graph, bytes: executable.memory?.(), toString: () => executable.describe?.() ?? String(graph) };
    },
    async release() {
      for (const { compiled } of versions.clear()) await (await compiled.promise).executable.release();
    },
  });
}
