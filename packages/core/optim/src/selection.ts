import { isTensor, type Tensor, tree, ValueError } from "@offprint/tensor-core";
import type { ParameterLeaves } from "./parameter-leaves.js";

/** A choice for each parameter: a tree like the parameters, where one choice may stand for everything below it. */
export type SelectionTree<L extends string | boolean> =
  | L
  | readonly SelectionTree<L>[]
  | { readonly [key: string]: SelectionTree<L> };

/**
 * Which choice is made for which parameter: a tree, or a function of the parameter's path (its keys and indices joined by
 * dots, such as `layers.0.weight`) and of the parameter, of which only shape and dtype may be looked at.
 */
export type Selection<L extends string | boolean> = SelectionTree<L> | ((path: string, parameter: Tensor) => L);

/**
 * The choice for every leaf, in order.
 * @throws ValueError where the tree of choices does not fit the parameters.
 */
export function choicesOf<L extends string | boolean>(
  owner: string,
  selection: Selection<L>,
  params: ParameterLeaves,
): L[] {
  if (typeof selection === "function") {
    const paths = tree.paths(tree.unflatten(params.structure, params.leaves));
    return params.leaves.map((leaf, i) => selection(paths[i], leaf));
  }
  const choices: L[] = [];
  const walk = (node: tree.TreeStructure, choice: SelectionTree<L> | undefined, path: string): void => {
    if (typeof choice === "string" || typeof choice === "boolean")
      choices.push(...new Array<L>(leafCount(node)).fill(choice));
    else if (node.kind === "array" && Array.isArray(choice) && choice.length === node.items.length) {
      node.items.forEach((item, i) => walk(item, choice[i], below(path, i)));
    } else if (node.kind === "object" && isRecord(choice) && sameKeys(Object.keys(choice), node.keys)) {
      node.items.forEach((item, i) => walk(item, choice[node.keys[i]], below(path, node.keys[i])));
    } else if (node.kind !== "empty") {
      throw new ValueError(
        `${owner}: the choice for ${path === "" ? "the parameters" : path} does not fit ${tree.formatStructure(node)}; ` +
          "give one choice for all that is there, or a tree with the same keys",
      );
    }
  };
  walk(params.structure, selection, "");
  return choices;
}

/** The tree with the leaves that are kept; the others become empty. */
export function only(structure: tree.TreeStructure, leaves: readonly Tensor[], kept: readonly boolean[]): unknown {
  return tree.unflatten(
    structure,
    leaves.map((leaf, i) => (kept[i] ? leaf : null)),
  );
}

function below(path: string, key: string | number): string {
  return path === "" ? `${key}` : `${path}.${key}`;
}

function leafCount(node: tree.TreeStructure): number {
  if (node.kind === "leaf") return 1;
  return node.kind === "empty" ? 0 : node.items.reduce((n, item) => n + leafCount(item), 0);
}

function isRecord<L extends string | boolean>(
  choice: SelectionTree<L> | undefined,
): choice is { readonly [key: string]: SelectionTree<L> } {
  return typeof choice === "object" && choice !== null && !Array.isArray(choice) && !isTensor(choice);
}

function sameKeys(given: readonly string[], wanted: readonly string[]): boolean {
  return given.length === wanted.length && wanted.every((key) => given.includes(key));
}
