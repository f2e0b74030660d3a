import { add, asTensor, ShapeError, type Tensor, type TensorLike, tree, ValueError } from "@offprint/tensor-core";

/** What `update` gives. */
export interface Update<S, P = unknown> {
  /** A tree like the parameters, to be added to them. */
  readonly updates: P;
  /** The state for the next update. */
  readonly state: S;
}

/**
 * The one shape of every optimizer: a pair of pure functions on trees of parameters, whose leaves are float tensors (plain
 * numbers count as float32), gradients and updates, which are trees like the parameters. The state is a tree of tensors and nothing else, the
 * number of updates made so far included, so that it can be saved, and so that a whole step compiles to one graph.
 */
export interface GradientTransformation<S = unknown> {
  /** The state before the first update, for parameters like these. */
  init(params: unknown): S;
  /**
   * What to add to the parameters for these gradients. Neither the gradients nor the state are modified or kept: their
   * buffers may be written to afterwards.
   * @throws ShapeError where gradients or state do not fit the parameters; DTypeError for integer leaves;
   * NonFiniteError for a gradient that is not finite (not while tracing).
   */
  update<P>(gradients: P, state: S, params: P): Update<S, P>;
}

/** Throws unless an option is a transformation of gradients. @throws ValueError that says what to give */
export function requireOptimizer(owner: string, optimizer: unknown): void {
  const { init, update } = (optimizer ?? {}) as Partial<GradientTransformation>;
  if (typeof init === "function" && typeof update === "function") return;
  throw new ValueError(`${owner}: optimizer has no init and update; give one of @offprint/optim, such as adam()`);
}

/**
 * The parameters after an update: `params + updates`, leaf by leaf, in the dtype of the parameters.
 * @throws ShapeError where the trees or the shapes of their leaves differ.
 */
export function applyUpdates<P>(params: P, updates: NoInfer<P>): P {
  const p = tree.flatten(params);
  const u = tree.flatten(updates);
  if (!tree.sameStructure(p.structure, u.structure)) {
    throw new ShapeError("applyUpdates: the updates are not a tree like the parameters");
  }
  const next = p.leaves.map((leaf, i): Tensor => {
    const before = asTensor(leaf as TensorLike);
    const change = asTensor(u.leaves[i] as TensorLike, before.dtype);
    if (change.shape.join() !== before.shape.join()) {
      throw new ShapeError(
        `applyUpdates: an update has shape [${change.shape}] and its parameter ${tree.paths(params)[i]} [${before.shape}]`,
      );
    }
    return add(before, change);
  });
  return tree.unflatten<P>(p.structure, next);
}
