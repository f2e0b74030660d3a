import { requireArray, requireFunction, requireObject } from "./arguments.js";
import { ValueError } from "./errors.js";
import { applied, type TensorFunction, type TreeFunction } from "./function-types.js";
import { isPlainObject, setKey } from "./plain-object.js";
import { isTensor, type Tensor } from "./tensor.js";

export { fromJson, toJson } from "./tree-json.js";

/** Tensors in nested arrays and plain objects; null and undefined are empty subtrees. */
export type Tree =
  | Tensor
  | number
  | boolean
  | ArrayBufferView
  | null
  | undefined
  | readonly Tree[]
  | { readonly [key: string]: Tree };

/** The shape of a tree without its leaves. */
export type TreeStructure =
  | { readonly kind: "leaf" }
  | { readonly kind: "empty"; readonly value: null | undefined }
  | { readonly kind: "array"; readonly items: readonly TreeStructure[] }
  | { readonly kind: "object"; readonly keys: readonly string[]; readonly items: readonly TreeStructure[] };

const LEAF: TreeStructure = { kind: "leaf" };

/** The leaves of a tree, in order (object keys sorted), and its structure. */
export function flatten(value: unknown): { leaves: unknown[]; structure: TreeStructure } {
  const leaves: unknown[] = [];
  const walk = (node: unknown): TreeStructure => {
    if (node === null || node === undefined) return { kind: "empty", value: node };
    if (typeof node !== "object" || isTensor(node)) {
      leaves.push(node);
      return LEAF;
    }
    if (Array.isArray(node)) return { kind: "array", items: node.map(walk) };
    if (isPlainObject(node)) {
      const keys = Object.keys(node).sort();
      return { kind: "object", keys, items: keys.map((key) => walk((node as Record<string, unknown>)[key])) };
    }
    leaves.push(node);
    return LEAF;
  };
  const structure = walk(value);
  return { leaves, structure };
}

/** Of a tree that somebody made up, the root only is looked at. */
function isStructure(value: unknown): value is TreeStructure {
  return typeof value === "object" && value !== null && "kind" in value;
}

/**
 * Puts leaves back into a structure.
 * @throws ValueError for another number of leaves than it has.
 */
export function unflatten<R = unknown>(structure: TreeStructure, leaves: readonly unknown[]): R {
  if (!isStructure(structure)) {
    throw new ValueError(
      "tree.unflatten: the first argument is no structure; give one from tree.structure or tree.flatten",
    );
  }
  requireArray("tree.unflatten", leaves, "leaves");
  let next = 0;
  const build = (node: TreeStructure): unknown => {
    switch (node.kind) {
      case "leaf":
        return leaves[next++];
      case "empty":
        return node.value;
      case "array":
        return node.items.map(build);
      case "object": {
        const out: Record<string, unknown> = {};
        node.keys.forEach((key, i) => {
          setKey(out, key, build(node.items[i]));
        });
        return out;
      }
    }
  };
  const result = build(structure);
  if (next !== leaves.length) {
    throw new ValueError(`tree.unflatten: ${leaves.length} leaves given for a structure with ${next}`);
  }
  return result as R;
}

/** The leaves of a tree, in order. */
export function leaves<L = Tensor>(value: unknown): L[] {
  return flatten(value).leaves as L[];
}

/**
 * A name for each leaf, in order: the keys and indices that lead to it, joined by dots; `""` where the tree is a leaf.
 * @example tree.paths({ layers: [{ w: tensor(1) }] }) // ["layers.0.w"]
 */
export function paths(value: unknown): string[] {
  const names: string[] = [];
  const walk = (node: TreeStructure, path: string) => {
    const below = (key: string | number) => (path === "" ? `${key}` : `${path}.${key}`);
    if (node.kind === "leaf") names.push(path);
    else if (node.kind === "array") node.items.forEach((item, i) => walk(item, below(i)));
    else if (node.kind === "object") node.items.forEach((item, i) => walk(item, below(node.keys[i])));
  };
  walk(structure(value), "");
  return names;
}

/** The structure of a tree. */
export function structure(value: unknown): TreeStructure {
  return flatten(value).structure;
}

/** Whether two structures are the same. */
export function sameStructure(a: TreeStructure, b: TreeStructure): boolean {
  requireObject("tree.sameStructure", "a", a, "a TreeStructure");
  requireObject("tree.sameStructure", "b", b, "a TreeStructure");
  if (a === b) return true;
  if (a.kind === "array" && b.kind === "array") {
    return a.items.length === b.items.length && a.items.every((item, i) => sameStructure(item, b.items[i]));
  }
  if (a.kind === "object" && b.kind === "object") {
    return (
      a.keys.length === b.keys.length &&
      a.keys.every((key, i) => key === b.keys[i] && sameStructure(a.items[i], b.items[i]))
    );
  }
  return a.kind === b.kind && a.kind !== "array" && a.kind !== "object";
}

/** A structure as text, `*` for a leaf. */
export function formatStructure(node: TreeStructure): string {
  requireObject("tree.formatStructure", "node", node, "a TreeStructure");
  switch (node.kind) {
    case "leaf":
      return "*";
    case "empty":
      return String(node.value);
    case "array":
      return `[${node.items.map(formatStructure).join(", ")}]`;
    case "object":
      return `{${node.keys.map((key, i) => `${key}: ${formatStructure(node.items[i])}`).join(", ")}}`;
  }
}

/**
 * Applies `f` leaf by leaf to one or several trees of the same structure.
 * @throws ValueError where the structures differ.
 */
export function map<T, F extends TreeFunction = TensorFunction>(f: F, first: T, ...rest: unknown[]): T {
  requireFunction("tree.map", "the first argument", f);
  const flat = flatten(first);
  const others = rest.map((t) => {
    const other = flatten(t);
    if (!sameStructure(flat.structure, other.structure)) {
      throw new ValueError(
        `tree.map: structures differ: ${formatStructure(flat.structure)} and ${formatStructure(other.structure)}; ` +
          "give trees with the same keys and lengths",
      );
    }
    return other.leaves;
  });
  return unflatten<T>(
    flat.structure,
    flat.leaves.map((leaf, i) => applied(f, [leaf, ...others.map((o) => o[i])])),
  );
}
