import { ShapeError, type Tensor, type TensorLike, tensor, ValueError, zeros } from "@offprint/tensor-core";

/** @internal The multipliers to begin from. */
export function readMultipliers(owner: string, given: TensorLike | undefined, m: number): Tensor {
  if (given === undefined) return zeros([m], "float64");
  const multipliers = tensor(given, { dtype: "float64" });
  if (multipliers.rank !== 1 || multipliers.size !== m) {
    throw new ShapeError(`${owner}: multipliers have shape [${multipliers.shape}]; there are ${m} constraints`);
  }
  if (!multipliers.data().every(Number.isFinite)) throw new ValueError(`${owner}: multipliers must be finite`);
  return multipliers;
}
