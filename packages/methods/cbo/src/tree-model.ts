import {
  concatenate,
  isTensor,
  requireFunction,
  reshape,
  ShapeError,
  type Tensor,
  tree,
  ValueError,
  vmap,
} from "@offprint/tensor-core";
import type { TrainingData } from "./training-options.js";

/** What a swarm trains: a loss of parameters that are one long vector. */
export interface SwarmModel<B = TrainingData> {
  /** P, the number of parameters. */
  readonly parameters: number;
  /**
   * Losses of n particles on a batch, `[n, P]` to `[n]`, in operations of tensors. alpha weighs differences of these
   * numbers; the authors divide the mean cross-entropy by the number of classes.
   */
  loss(theta: Tensor, batch: B): Tensor;
}

/** A model whose parameters are a tree of tensors. */
export interface TreeModel<P, B> extends SwarmModel<B> {
  /** A vector `[P]` as parameters. */
  toTree(theta: Tensor): P;
  /** Parameters as a vector `[P]`. */
  toVector(params: P): Tensor;
}

/**
 * Lets a swarm train any model with a tree of parameters, such as a network of `@offprint/nn`.
 * @param template parameters of the right shapes; their values do not matter
 * @param loss of one set of parameters on a batch, a scalar, in operations of tensors
 * @example
 * ```ts
 * import { treeModel } from "@offprint/cbo";
 * import { add, matmul, mean, square, sub, type Tensor, zeros } from "@offprint/tensor-core";
 *
 * const template = { w: zeros([3, 1]), b: zeros([1]) };
 * const line = treeModel(template, (p, batch: { inputs: Tensor; targets: Tensor }) =>
 *   mean(square(sub(add(matmul(batch.inputs, p.w), p.b), batch.targets))),
 * );
 * console.log(line.parameters); // 4
 * ```
 */
export function treeModel<P, B = TrainingData>(template: P, loss: (params: P, batch: B) => Tensor): TreeModel<P, B> {
  const { leaves, structure } = tree.flatten(template);
  if (leaves.length === 0 || !leaves.every(isTensor)) {
    throw new ValueError("treeModel: template must be a tree of tensors, at least one; make them with tensor(...)");
  }
  requireFunction("treeModel", "loss", loss);
  const shapes = (leaves as Tensor[]).map(({ shape }) => shape);
  const sizes = (leaves as Tensor[]).map(({ size }) => size);
  const parameters = sizes.reduce((a, b) => a + b, 0);
  const toTree = (theta: Tensor): P => {
    if (theta.rank !== 1 || theta.shape[0] !== parameters) {
      throw new ShapeError(`treeModel: theta has shape [${theta.shape}]; the model has ${parameters} parameters`);
    }
    let from = 0;
    const parts = shapes.map((shape, i) => {
      const part = reshape(theta.slice([{ start: from, stop: from + sizes[i] }]), shape);
      from += sizes[i];
      return part;
    });
    return tree.unflatten<P>(structure, parts);
  };
  const toVector = (params: P): Tensor => {
    const own = tree.flatten(params).leaves as Tensor[];
    const odd = shapes.findIndex((shape, i) => String(own[i]?.shape) !== String(shape));
    if (odd >= 0 || own.length !== shapes.length) {
      throw new ShapeError(
        `treeModel: parameters have ${own.length} tensors of shapes ${own.map((x) => `[${x?.shape}]`)}; the model has ${shapes.map((shape) => `[${shape}]`)}`,
      );
    }
    return concatenate(own.map((x) => reshape(x, [-1])));
  };
  return {
    parameters,
    toTree,
    toVector,
    loss: (theta, batch) => vmap((own: Tensor) => loss(toTree(own), batch))(theta),
  };
}
