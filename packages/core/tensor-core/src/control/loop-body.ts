import { asTensor } from "../construct.js";
import { DTypeError, ShapeError } from "../errors.js";
import { cast } from "../ops/elementwise.js";
import type { Spec } from "../primitive.js";
import { formatShape, sameShape } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import * as tree from "../tree.js";

/** A tree taken apart into tensors. */
export interface FlatTree {
  readonly leaves: Tensor[];
  readonly structure: tree.TreeStructure;
}

export function flattenTensors(value: unknown): FlatTree {
  const { leaves, structure } = tree.flatten(value);
  return { leaves: leaves.map((leaf) => asTensor(leaf as TensorLike)), structure };
}

/** Checks that a loop's state keeps its structure, shapes and dtypes, and gives its tensors. */
export function keepState(
  operation: string,
  next: unknown,
  state: FlatTree | { leaves: readonly Spec[]; structure: tree.TreeStructure },
): Tensor[] {
  const flat = flattenTensorsLike(next, state.leaves);
  if (!tree.sameStructure(flat.structure, state.structure)) {
    throw new ShapeError(
      `${operation}: the body changes the structure of the state from ${tree.formatStructure(state.structure)} to ` +
        `${tree.formatStructure(flat.structure)}; return a state like the one it is given`,
    );
  }
  return flat.leaves.map((x, i) => {
    const old = state.leaves[i];
    if (!sameShape(x.shape, old.shape)) {
      throw new ShapeError(
        `${operation}: the body changes a state's shape from ${formatShape(old.shape)} to ${formatShape(x.shape)}; ` +
          "a loop's state keeps its shapes",
      );
    }
    if (x.dtype !== old.dtype) {
      throw new DTypeError(
        `${operation}: the body changes a state's dtype from ${old.dtype} to ${x.dtype}; cast it to ${old.dtype}`,
      );
    }
    return x;
  });
}

function flattenTensorsLike(value: unknown, specs: readonly Spec[]): FlatTree {
  const { leaves, structure } = tree.flatten(value);
  // A plain number takes the dtype of the state it replaces.
  return {
    structure,
    leaves: leaves.map((leaf, i) =>
      typeof leaf === "number" && specs[i] !== undefined
        ? cast(asTensor(leaf), specs[i].dtype)
        : asTensor(leaf as TensorLike),
    ),
  };
}
