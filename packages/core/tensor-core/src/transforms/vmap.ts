import { requireFunction } from "../arguments.js";
import { checkOptions } from "../check-options.js";
import { asTensor } from "../construct.js";
import { ShapeError, ValueError } from "../errors.js";
import { applied, type TensorFunction, type TreeFunction } from "../function-types.js";
import { withLevel } from "../levels.js";
import { broadcastTo, moveAxis } from "../ops/movement.js";
import { asExample } from "../primitive.js";
import { formatShape, normalizeAxis } from "../shape.js";
import type { NestedArray, Tensor, TensorLike } from "../tensor.js";
import * as tree from "../tree.js";

/** Options of `vmap`. */
export interface VmapOptions {
  /**
   * Per argument, the axis to map over, or null to give every example the whole argument. One entry for each
   * argument, or one for all. Default 0.
   */
  inAxes?: number | null | readonly (number | null)[];
  /** Where the batch goes in the results. Default 0. */
  outAxis?: number;
}

/**
 * A function that applies `f` to every example of a batch at once: written for one example, run as whole-batch
 * operations. Arguments and results are trees. Nests, and mixes with gradients: `vmap(grad(f))` gives a gradient
 * for each example.
 * @throws ShapeError where batch sizes differ or an argument has no such axis.
 * @example vmap((w, x) => matmul(w, x), { inAxes: [null, 0] })(w, xs)
 */
export function vmap<F extends TreeFunction = TensorFunction>(
  f: F,
  options: VmapOptions = {},
): (...args: Parameters<F>) => ReturnType<F> {
  requireFunction("vmap", "the first argument", f);
  checkOptions("vmap", options, ["inAxes", "outAxis"]);
  const { inAxes = 0, outAxis = 0 } = options;
  return (...args): ReturnType<F> => {
    if (Array.isArray(inAxes) && inAxes.length !== args.length) {
      throw new ValueError(
        `vmap: inAxes names ${inAxes.length} arguments, but the function was called with ${args.length}`,
      );
    }
    let size: number | undefined;
    const moved = args.map((arg, i) => {
      const axis = Array.isArray(inAxes) ? (inAxes[i] as number | null) : (inAxes as number | null);
      if (axis === null) return { arg, axis };
      // Nested numbers are one tensor here: their leaves have no axis to map over.
      const batch: unknown = isNumbers(arg) ? asTensor(arg) : arg;
      const leaves = tree.map((leaf: TensorLike) => {
        const t = asTensor(leaf);
        if (t.rank === 0)
          throw new ShapeError(`vmap: argument ${i} holds a scalar, which has no axis to map over; use null in inAxes`);
        const x = moveAxis(t, normalizeAxis("vmap", axis, t.rank), 0);
        if (size !== undefined && x.shape[0] !== size) {
          throw new ShapeError(
            `vmap: batch sizes differ: ${size} and ${x.shape[0]} (argument ${i} has shape ${formatShape(t.shape)})`,
          );
        }
        size = x.shape[0];
        return x;
      }, batch);
      return { arg: leaves, axis };
    });
    if (size === undefined) throw new ValueError("vmap: no argument is mapped over; give at least one axis in inAxes");
    const count = size;
    return withLevel(false, (level) => {
      const examples = moved.map(({ arg, axis }) =>
        axis === null ? arg : tree.map((leaf: Tensor) => asExample(leaf, level), arg),
      );
      const result = applied(f, examples);
      return tree.map((leaf: TensorLike) => moveAxis(batchOf(asTensor(leaf), level, count), 0, outAxis), result);
    });
  };
}

function isNumbers(value: unknown): value is NestedArray {
  return Array.isArray(value) && value.length > 0 && value.every((x) => typeof x === "number" || isNumbers(x));
}

/** The whole batch behind an example of `level`; a value that does not depend on the example is repeated. */
export function batchOf(x: Tensor, level: number, size: number): Tensor {
  const storage = x.storage;
  if (storage.kind === "batched" && storage.level === level) return storage.inner;
  return broadcastTo(x, [size, ...x.shape]);
}
