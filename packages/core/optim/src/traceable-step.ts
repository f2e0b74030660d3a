import {
  type Executable,
  type Graph,
  hostBackend,
  hostCompilerObstacle,
  isTensor,
  type Tensor,
  trace,
  tree,
} from "@offprint/tensor-core";
import { sameGraph } from "./same-graph.js";

/** A function that is compiled where that gives the same results. */
export interface TraceableStep<A extends unknown[], R> {
  (...args: A): Promise<R>;
  /** Frees what was compiled. */
  release(): Promise<void>;
}

interface Compiled {
  readonly graph: Graph;
  readonly executable: Executable;
}

/** Kinds of arguments that are compiled for: with more, as of graphs that all differ, compiling takes longer than it saves. */
const mostVersions = 8;

/**
 * `f` compiled by tensor-core's compiler for arguments that are trees of tensors, and as it is wherever it cannot be: for
 * arguments with other leaves, where `f` reads values or is not the same function when traced again, as with random numbers
 * of its own or counters, and where a page's policy forbids compiling.
 */
export function traceableStep<A extends unknown[], R>(f: (...args: A) => R): TraceableStep<A, R> {
  const versions = new Map<string, Compiled>();
  let traceable = true;

  const compile = async (args: A): Promise<Compiled | undefined> => {
    if ((await hostCompilerObstacle()) !== undefined) return undefined;
    const graph = trace(f as never, ...args);
    if (!sameGraph(graph, trace(f as never, ...args))) return undefined;
    return { graph, executable: await hostBackend.compile(graph) };
  };

  /** The compiled version for such arguments; undefined where `f` itself is to run. */
  const versionFor = async (args: A, structure: tree.TreeStructure, leaves: readonly Tensor[]) => {
    const signature = JSON.stringify([structure, leaves.map(({ shape, dtype }) => [dtype, shape])]);
    const known = versions.get(signature);
    if (known !== undefined || versions.size >= mostVersions) return known;
    // What `f` throws when it is traced it throws again when it runs, unless it is that it was traced.
    const made = await compile(args).catch(() => undefined);
    if (made === undefined) traceable = false;
    else versions.set(signature, made);
    return made;
  };

  const call = async (...args: A): Promise<R> => {
    if (!traceable) return f(...args);
    const { structure, leaves } = tree.flatten(args) as { structure: tree.TreeStructure; leaves: readonly Tensor[] };
    if (!leaves.every(isTensor)) return f(...args);
    const version = await versionFor(args, structure, leaves);
    if (version === undefined) return f(...args);
    const results = await version.executable.run(leaves);
    return tree.unflatten<R>(version.graph.outputStructure as tree.TreeStructure, results);
  };
  return Object.assign(call, {
    async release() {
      const all = [...versions.values()];
      versions.clear();
      for (const { executable } of all) await executable.release();
    },
  });
}
