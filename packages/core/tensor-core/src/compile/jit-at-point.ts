import { requireFunction } from "../arguments.js";
import { checkOptions } from "../check-options.js";
import { applied, type TreeFunction } from "../function-types.js";
import type { Graph } from "../graph/graph.js";
import { splitGraph } from "../graph/split.js";
import { compileSync } from "../host-compiler/index.js";
import type { Tensor } from "../tensor.js";
import * as tree from "../tree.js";
import type { Executable } from "./backend.js";
import type { CompiledProgram } from "./jit.js";
import type { JitSyncOptions } from "./jit-sync.js";
import { traceTree } from "./trace.js";
import { isInside, takeApart, type Version, Versions } from "./versions.js";

/** A function of a point and more, compiled in two parts. */
export interface JittedAtPoint<P, A extends unknown[], R> {
  /** The function at a point. What depends on the point alone is computed at the first call and kept for the others. */
  at(point: P): (...args: A) => R;
  /** What is carried out once for a point, and what at every call: loops and memory, when made strings. */
  program(point: P, ...args: A): { readonly once: CompiledProgram; readonly call: CompiledProgram };
  /** Frees all compiled versions. */
  release(): void;
}

interface Part {
  readonly graph: Graph;
  readonly executable: Required<Executable>;
}

interface Compiled {
  /** How many of the inputs are of the point. */
  readonly count: number;
  readonly once: Part;
  readonly call: Part;
  readonly structure: tree.TreeStructure;
}

/**
 * `f(point, ...args)` for one point and many `args`, such as products of one Hessian with many vectors: compiled as by
 * `jitSync`, with what depends on the point alone carried out once for each point.
 * @throws TraceError where `f` reads a value.
 * @example const product = jitAtPoint((x: Tensor, v: Tensor) => hvp(f)(x, v)).at(x);
 */
export function jitAtPoint<P, A extends unknown[], R>(
  f: (point: P, ...args: A) => R,
  options: Pick<JitSyncOptions, "views"> = {},
): JittedAtPoint<P, A, R> {
  requireFunction("jitAtPoint", "the first argument", f);
  checkOptions("jitAtPoint", options, ["views"]);
  const traced = f as TreeFunction;
  const versions = new Versions<Compiled>((structure, specs) => {
    const graph = traceTree(traced, structure, specs);
    const count = leavesOf((structure as { readonly items: readonly tree.TreeStructure[] }).items[0]);
    const { first, second } = splitGraph(graph, count);
    return {
      count,
      once: { graph: first, executable: compileSync(first) },
      call: { graph: second, executable: compileSync(second, options) },
      structure: graph.outputStructure as tree.TreeStructure,
    };
  });
  return {
    at(point) {
      // What the caller does to the tree later is no matter.
      const fixed = tree.map((leaf: unknown) => leaf, point) as P;
      let version: Version<Compiled> | undefined;
      let kept: readonly Tensor[] = [];
      return (...args) => {
        const given = [fixed, ...args];
        let inputs = versions.recall(given);
        let current = versions.latest;
        if (inputs === undefined) {
          const call = takeApart(given);
          if (isInside(call.inputs)) return applied(traced, given) as R;
          inputs = call.inputs;
          current = versions.find(call);
        } else if (isInside(inputs)) return applied(traced, given) as R;
        const { count, once, call, structure } = current.compiled;
        if (current !== version) {
          kept = once.executable.runSync(inputs.slice(0, count));
          version = current;
        }
        const results = call.executable.runSync([...kept, ...inputs.slice(count)]);
        return (structure.kind === "leaf" ? results[0] : tree.unflatten<R>(structure, results)) as R;
      };
    },
    program(point, ...args) {
      const { once, call } = versions.find(takeApart([point, ...args])).compiled;
      const told = ({ graph, executable }: Part): CompiledProgram => ({
        graph,
        bytes: executable.memory(),
        toString: () => executable.describe(),
      });
      return { once: told(once), call: told(call) };
    },
    release() {
      for (const { compiled } of versions.clear()) {
        void compiled.once.executable.release();
        void compiled.call.executable.release();
      }
    },
  };
}

function leavesOf(node: tree.TreeStructure): number {
  if (node.kind === "leaf") return 1;
  return node.kind === "empty" ? 0 : node.items.reduce((total, item) => total + leavesOf(item), 0);
}
