import {
  type Executable,
  type Graph,
  hostBackend,
  hostCompilerObstacle,
  isTensor,
  type Tensor,
  trace,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import { sameGraph } from "./same-graph.js";

/** A function that is compiled where that gives the same results. */
export interface TraceableStep<A extends unknown[], R> {
  (...args: A): Promise<R>;
  /** Whether `f` is still what was compiled. @throws ValueError where it is not. */
  verify(): void;
  /** Frees what was compiled. */
  release(): Promise<void>;
}

interface Compiled<A> {
  readonly structure: tree.TreeStructure;
  readonly leaves: readonly Pick<Tensor, "dtype" | "shape">[];
  readonly graph: Graph;
  readonly executable: Executable;
  /** The latest arguments of this kind. */
  args: A;
  calls: number;
  /** The number of calls at which `f` is traced again. */
  look: number;
}

/** Calls after which a function is looked at again for the first time; then after twice as many, and so on. */
const firstLook = 64;

/** Kinds of arguments that are compiled for: with more, as of graphs that all differ, compiling takes longer than it saves. */
const mostVersions = 8;

/**
 * `f` compiled by tensor-core's compiler for arguments that are trees of tensors, and as it is wherever it cannot be: for
 * arguments with other leaves, where `f` reads values or is not the same function when traced again, as with random numbers
 * of its own or counters, and where a page's policy forbids compiling. That a variable of `f` has changed later is seen when it
 * is traced again, after 64 calls, 128, 256 and so on and by `verify`, and is an error.
 */
export function traceableStep<A extends unknown[], R>(f: (...args: A) => R): TraceableStep<A, R> {
  const versions: Compiled<A>[] = [];
  let traceable = true;

  const compile = async (
    args: A,
    structure: tree.TreeStructure,
    leaves: readonly Tensor[],
  ): Promise<Compiled<A> | undefined> => {
    if ((await hostCompilerObstacle()) !== undefined) return undefined;
    const graph = trace(f as never, ...args);
    if (!sameGraph(graph, trace(f as never, ...args))) return undefined;
    const executable = await hostBackend.compile(graph);
    const specs = leaves.map(({ dtype, shape }) => ({ dtype, shape }));
    return { structure, leaves: specs, graph, executable, args, calls: 0, look: firstLook };
  };

  const check = ({ graph, args, calls }: Compiled<A>) => {
    if (sameGraph(graph, trace(f as never, ...args))) return;
    throw new ValueError(
      `train: after ${calls} compiled steps the loss is another function than at the first: it uses a variable that has ` +
        "changed since; give that by data, noise or modelState, or say compile: false",
    );
  };

  /** The compiled version for such arguments; undefined where `f` itself is to run. */
  const versionFor = async (args: A, structure: tree.TreeStructure, leaves: readonly Tensor[]) => {
    const known = versions.find((v) => sameKind(v.leaves, leaves) && tree.sameStructure(v.structure, structure));
    if (known !== undefined || versions.length >= mostVersions) return known;
    // What `f` throws when it is traced it throws again when it runs, unless it is that it was traced.
    const made = await compile(args, structure, leaves).catch(() => undefined);
    if (made === undefined) traceable = false;
    else versions.push(made);
    return made;
  };

  const call = async (...args: A): Promise<R> => {
    if (!traceable) return f(...args);
    const { structure, leaves } = tree.flatten(args) as { structure: tree.TreeStructure; leaves: readonly Tensor[] };
    if (!leaves.every(isTensor)) return f(...args);
    const version = await versionFor(args, structure, leaves);
    if (version === undefined) return f(...args);
    version.args = args;
    version.calls += 1;
    if (version.calls === version.look) {
      version.look *= 2;
      check(version);
    }
    const results = await version.executable.run(leaves);
    return tree.unflatten<R>(version.graph.outputStructure as tree.TreeStructure, results);
  };
  return Object.assign(call, {
    verify() {
      for (const version of versions) check(version);
    },
    async release() {
      for (const { executable } of versions.splice(0)) await executable.release();
    },
  });
}

function sameKind(a: Compiled<unknown>["leaves"], b: Compiled<unknown>["leaves"]): boolean {
  return a.length === b.length && a.every((x, i) => x.dtype === b[i].dtype && sameExtents(x.shape, b[i].shape));
}

function sameExtents(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}
