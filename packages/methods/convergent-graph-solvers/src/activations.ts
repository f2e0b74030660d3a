import { asTensor, linspace, relu, type Tensor, type TensorLike, tanh, ValueError } from "@offprint/tensor-core";

/** A function of every value whose slope is never above 1 in size, by name or one's own, in operations of tensors. */
export type ContractionActivation = "identity" | "tanh" | "relu" | ((x: TensorLike) => Tensor);

const named: Readonly<Record<string, (x: TensorLike) => Tensor>> = { identity: (x) => asTensor(x), tanh, relu };
const seen = new WeakSet<(x: TensorLike) => Tensor>();

/**
 * The activation of a contraction. One's own is tried on 4001 points of [-20, 20].
 * @throws ValueError for a name that there is not, and where a slope is above 1, unless `allowNonContractive`.
 */
export function lipschitzActivation(
  owner: string,
  choice: ContractionActivation,
  allowNonContractive: boolean,
): (x: TensorLike) => Tensor {
  if (typeof choice !== "function") {
    if (!Object.hasOwn(named, choice)) {
      throw new ValueError(`${owner}: activation is "${choice}"; give "identity", "tanh", "relu" or a function`);
    }
    return named[choice];
  }
  if (allowNonContractive || seen.has(choice)) return choice;
  const steepest = steepestSlope(choice);
  if (!(steepest <= 1 + 1e-9)) {
    throw new ValueError(
      `${owner}: activation has a slope of ${steepest.toPrecision(4)}, so that a fixed point is not guaranteed; give one ` +
        "whose slopes are at most 1, or allowNonContractive",
    );
  }
  seen.add(choice);
  return choice;
}

const points = 4001;

function steepestSlope(f: (x: TensorLike) => Tensor): number {
  const x = linspace(-20, 20, points, "float64");
  const y = f(x).data();
  let steepest = 0;
  for (let i = 1; i < points; i++) steepest = Math.max(steepest, Math.abs(y[i] - y[i - 1]) / (40 / (points - 1)));
  return y.every((v: number) => Number.isFinite(v)) ? steepest : Number.NaN;
}
