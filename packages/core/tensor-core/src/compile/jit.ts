import { asTensor } from "../construct.js";
import { levelOf, type Spec } from "../primitive.js";
import { isTensor, type Tensor, type TensorLike } from "../tensor.js";
import * as tree from "../tree.js";
import type { Backend, Executable } from "./backend.js";
import { hostBackend } from "./host-backend.js";
import { traceTree } from "./trace.js";

/** Options of `jit`. */
export interface JitOptions {
  /** What compiles and runs the graph. Default: the host kernels of this package. */
  backend?: Backend;
}

/** A compiled function: the traced function with promised results. */
export interface Jitted<F extends (...args: any[]) => any> {
  (...args: Parameters<F>): Promise<Awaited<ReturnType<F>>>;
  /** Frees all compiled versions. */
  release(): Promise<void>;
}

interface Compiled {
  readonly executable: Executable;
  readonly outputStructure: tree.TreeStructure;
}

/**
 * `f`, traced and compiled once for each combination of argument shapes and dtypes, then run as a whole. Arguments and
 * results are trees of tensors; numbers in them are inputs too. Called inside a gradient, `vmap` or trace, `f` itself
 * runs, so that it can be transformed.
 * @throws TraceError where `f` reads a value; whatever the backend throws for a graph it cannot run.
 * @example const step = jit((w, x) => sub(w, mul(grad(loss)(w, x), 0.1)), { backend });
 */
export function jit<F extends (...args: any[]) => any>(f: F, options: JitOptions = {}): Jitted<F> {
  const backend = options.backend ?? hostBackend;
  const compiled = new Map<string, Promise<Compiled>>();
  const call = async (...args: Parameters<F>): Promise<any> => {
    const flat = tree.flatten(args);
    const inputs = flat.leaves.map((leaf) => (isTensor(leaf) ? leaf : asTensor(leaf as TensorLike)));
    if (inputs.some((x) => levelOf(x) > 0 || x.record !== null)) return f(...args);
    const key = signature(flat.structure, inputs);
    let entry = compiled.get(key);
    if (entry === undefined) {
      entry = compile(f, flat.structure, inputs, backend);
      compiled.set(key, entry);
      entry.catch(() => compiled.delete(key));
    }
    const { executable, outputStructure } = await entry;
    return tree.unflatten<Awaited<ReturnType<F>>>(outputStructure, await executable.run(inputs));
  };
  return Object.assign(call, {
    async release() {
      const entries = [...compiled.values()];
      compiled.clear();
      for (const entry of entries) await (await entry).executable.release();
    },
  });
}

async function compile(
  f: (...args: any[]) => any,
  structure: tree.TreeStructure,
  inputs: readonly Spec[],
  backend: Backend,
): Promise<Compiled> {
  const graph = traceTree(f, structure, inputs);
  return { executable: await backend.compile(graph), outputStructure: graph.outputStructure as tree.TreeStructure };
}

const structureKeys = new WeakMap<tree.TreeStructure, string>();

function signature(structure: tree.TreeStructure, inputs: readonly Tensor[]): string {
  let key = structureKeys.get(structure);
  if (key === undefined) {
    key = tree.formatStructure(structure);
    structureKeys.set(structure, key);
  }
  for (const x of inputs) key += `|${x.dtype}${x.shape.join()}`;
  return key;
}
