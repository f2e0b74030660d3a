import { asTensor } from "../construct.js";
import { currentLevel } from "../levels.js";
import { isPlainObject } from "../plain-object.js";
import { levelOf, type Spec } from "../primitive.js";
import { sameShape } from "../shape.js";
import { isTensor, type Tensor, type TensorLike } from "../tensor.js";
import * as tree from "../tree.js";

/** A function compiled for arguments of one structure, with one shape and dtype for each tensor. */
export interface Version<C> {
  readonly structure: tree.TreeStructure;
  readonly specs: readonly Spec[];
  /** Whether each argument is one tensor. */
  readonly flat: boolean;
  readonly compiled: C;
}

/** Arguments taken apart. */
export interface Call {
  readonly structure: tree.TreeStructure;
  readonly inputs: readonly Tensor[];
}

/** The versions of a compiled function, the latest first: a loop calls with one signature again and again. */
export class Versions<C> {
  private versions: readonly Version<C>[] = [];

  constructor(private readonly compile: (structure: tree.TreeStructure, specs: readonly Spec[]) => C) {}

  /** The version that was used last. */
  get latest(): Version<C> {
    return this.versions[0];
  }

  /** The tensors of arguments that fit the latest version; undefined for others, and where a number is among them. */
  recall(args: readonly unknown[]): readonly Tensor[] | undefined {
    const latest = this.versions[0];
    if (latest === undefined) return undefined;
    if (!latest.flat) {
      const found: Tensor[] = [];
      return collect(latest.structure, args, latest.specs, found) ? found : undefined;
    }
    if (args.length !== latest.specs.length) return undefined;
    for (let i = 0; i < args.length; i++) {
      const x = args[i];
      if (!isTensor(x) || !fitsSpec(latest.specs[i], x)) return undefined;
    }
    return args as readonly Tensor[];
  }

  /** The version for the arguments, compiled where there is none. */
  find({ structure, inputs }: Call): Version<C> {
    const known = this.versions.find((v) => fits(v, structure, inputs));
    if (known !== undefined) {
      if (this.versions[0] !== known) this.versions = [known, ...this.versions.filter((v) => v !== known)];
      return known;
    }
    const specs = inputs.map(({ shape, dtype }) => ({ shape, dtype }));
    const flat = structure.kind === "array" && structure.items.every((item) => item.kind === "leaf");
    const version = { structure, specs, flat, compiled: this.compile(structure, specs) };
    this.versions = [version, ...this.versions];
    return version;
  }

  /** Forgets a version that could not be compiled. */
  forget(version: Version<C>): void {
    this.versions = this.versions.filter((v) => v !== version);
  }

  /** Forgets all versions and hands them out. */
  clear(): readonly Version<C>[] {
    const all = this.versions;
    this.versions = [];
    return all;
  }
}

/** The arguments of a call as tensors. */
export function takeApart(args: readonly unknown[]): Call {
  const { structure, leaves } = tree.flatten(args);
  return { structure, inputs: inputTensors(leaves as TensorLike[]) };
}

/** Whether the call is part of a gradient, `vmap` or trace, which must see the operations of the function itself. */
export function isInside(inputs: readonly Tensor[]): boolean {
  if (currentLevel() > 0) return true;
  for (let i = 0; i < inputs.length; i++) if (inputs[i].record !== null || levelOf(inputs[i]) > 0) return true;
  return false;
}

/** The leaves as tensors; plain numbers are float64 beside float64 tensors, so that they lose no digits there. */
function inputTensors(leaves: readonly TensorLike[]): Tensor[] {
  if (leaves.every(isTensor)) return leaves as Tensor[];
  const tensors = leaves.map((leaf) => (typeof leaf === "number" ? undefined : asTensor(leaf)));
  const wide = tensors.some((x) => x?.dtype === "float64");
  return tensors.map((x, i) => x ?? asTensor(leaves[i], wide ? "float64" : "float32"));
}

/** Whether a tree has a structure and tensors of these specs, which are added to `found`. */
function collect(node: tree.TreeStructure, value: unknown, specs: readonly Spec[], found: Tensor[]): boolean {
  if (node.kind === "leaf") {
    if (!isTensor(value) || !fitsSpec(specs[found.length], value)) return false;
    found.push(value);
    return true;
  }
  if (node.kind === "empty") return value === node.value;
  const { items } = node;
  if (node.kind === "array") {
    if (!Array.isArray(value) || value.length !== items.length) return false;
    for (let i = 0; i < items.length; i++) if (!collect(items[i], value[i], specs, found)) return false;
    return true;
  }
  const { keys } = node;
  if (typeof value !== "object" || value === null || isTensor(value) || !isPlainObject(value)) return false;
  if (Object.keys(value).length !== keys.length) return false;
  for (let i = 0; i < keys.length; i++) {
    if (!Object.hasOwn(value, keys[i])) return false;
    if (!collect(items[i], (value as Record<string, unknown>)[keys[i]], specs, found)) return false;
  }
  return true;
}

function fitsSpec(spec: Spec, x: Tensor): boolean {
  return spec.dtype === x.dtype && sameShape(spec.shape, x.shape);
}

function fits<C>({ structure, specs }: Version<C>, given: tree.TreeStructure, inputs: readonly Tensor[]): boolean {
  if (specs.length !== inputs.length) return false;
  for (let i = 0; i < specs.length; i++) if (!fitsSpec(specs[i], inputs[i])) return false;
  return tree.sameStructure(structure, given);
}
