import { ValueError } from "@offprint/tensor-core";
import { MOST_NAMES } from "./formula.js";

function isSpec(node: unknown): node is { readonly shape: readonly (number | string)[]; readonly dtype: string } {
  if (typeof node !== "object" || node === null || Object.keys(node).length !== 2) return false;
  const { shape, dtype } = node as { shape?: unknown; dtype?: unknown };
  return Array.isArray(shape) && typeof dtype === "string";
}

/** The specs with something else in place of the names of extents. */
function mapNames(node: unknown, replace: (name: string) => number): unknown {
  if (isSpec(node)) {
    return { ...node, shape: node.shape.map((n) => (typeof n === "string" ? replace(n) : n)) };
  }
  if (Array.isArray(node)) return node.map((child) => mapNames(child, replace));
  if (typeof node === "object" && node !== null && Object.getPrototypeOf(node) === Object.prototype) {
    return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, mapNames(child, replace)]));
  }
  return node;
}

/**
 * The names of extents in specs, in order.
 * @throws ValueError for one that is no identifier, and for more than three.
 */
export function namesIn(specs: readonly unknown[]): string[] {
  const names = new Set<string>();
  mapNames(specs, (name) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw new ValueError(
        `toOnnx: "${name}" is no name of an extent; use letters, digits and _, as in "N" or "batch"`,
      );
    }
    names.add(name);
    return 0;
  });
  if (names.size > MOST_NAMES) {
    throw new ValueError(`toOnnx: ${[...names].join(", ")} are ${names.size} names; ${MOST_NAMES} extents can be open`);
  }
  return [...names];
}

/** The specs with numbers for the names. */
export function withExtents(
  specs: readonly unknown[],
  names: readonly string[],
  extents: readonly number[],
): readonly unknown[] {
  return mapNames(specs, (name) => extents[names.indexOf(name)]) as readonly unknown[];
}
