import { asTensor } from "../construct.js";
import { levelOf, type Spec } from "../primitive.js";
import { sameShape } from "../shape.js";
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

/** The function compiled for arguments of one structure, with one shape and dtype for each tensor. */
interface Version {
  readonly structure: tree.TreeStructure;
  readonly specs: readonly Spec[];
  readonly compiled: Promise<Compiled>;
  /** The same, once it is there. */
  ready?: Compiled;
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
  // The latest first: a training loop calls with one signature again and again.
  let versions: Version[] = [];
  const find = (structure: tree.TreeStructure, inputs: readonly Tensor[]): Version => {
    const known = versions.find((v) => fits(v, structure, inputs));
    if (known !== undefined) {
      if (versions[0] !== known) versions = [known, ...versions.filter((v) => v !== known)];
      return known;
    }
    const specs = inputs.map(({ shape, dtype }) => ({ shape, dtype }));
    const version: Version = { structure, specs, compiled: compile(f, structure, specs, backend) };
    versions = [version, ...versions];
    version.compiled.then(
      (compiled) => {
        version.ready = compiled;
      },
      () => {
        versions = versions.filter((v) => v !== version);
      },
    );
    return version;
  };
  const call = async (...args: Parameters<F>): Promise<any> => {
    const flat = tree.flatten(args);
    const inputs = inputTensors(flat.leaves as TensorLike[]);
    if (inputs.some((x) => levelOf(x) > 0 || x.record !== null)) return f(...args);
    const version = find(flat.structure, inputs);
    const { executable, outputStructure } = version.ready ?? (await version.compiled);
    return tree.unflatten<Awaited<ReturnType<F>>>(outputStructure, await executable.run(inputs));
  };
  return Object.assign(call, {
    async release() {
      const released = versions;
      versions = [];
      for (const { compiled } of released) await (await compiled).executable.release();
    },
  });
}

/** The leaves as tensors; plain numbers are float64 beside float64 tensors, so that they lose no digits there. */
function inputTensors(leaves: readonly TensorLike[]): Tensor[] {
  if (leaves.every(isTensor)) return leaves as Tensor[];
  const tensors = leaves.map((leaf) => (typeof leaf === "number" ? undefined : asTensor(leaf)));
  const wide = tensors.some((x) => x?.dtype === "float64");
  return tensors.map((x, i) => x ?? asTensor(leaves[i], wide ? "float64" : "float32"));
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

function fits(version: Version, structure: tree.TreeStructure, inputs: readonly Tensor[]): boolean {
  const { specs } = version;
  if (specs.length !== inputs.length) return false;
  for (let i = 0; i < specs.length; i++) {
    if (specs[i].dtype !== inputs[i].dtype || !sameShape(specs[i].shape, inputs[i].shape)) return false;
  }
  return tree.sameStructure(version.structure, structure);
}
