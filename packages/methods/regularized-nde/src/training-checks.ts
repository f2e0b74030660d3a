import type { GradientTransformation } from "@offprint/optim";
import { type Rng, requireFunction, ValueError } from "@offprint/tensor-core";

/** @internal What both trainings take, checked: the data, each of whose epochs is checked as well. @throws ValueError */
export function checkedData<B>(
  owner: string,
  data: (epoch: number, rng: Rng) => Iterable<B>,
  optimizer: Partial<GradientTransformation>,
): (epoch: number, rng: Rng) => Iterable<B> {
  requireFunction(owner, "data", data);
  if (typeof optimizer?.init !== "function" || typeof optimizer.update !== "function") {
    throw new ValueError(`${owner}: optimizer has no init and update; give one of @offprint/optim, such as adam()`);
  }
  return (epoch, rng) => {
    const batches = data(epoch, rng) as Iterable<B> | undefined;
    if (typeof batches?.[Symbol.iterator] === "function") return batches;
    throw new ValueError(
      `${owner}: data of epoch ${epoch} cannot be iterated; give an array of batches, or a generator`,
    );
  };
}
