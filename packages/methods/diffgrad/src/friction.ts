import {
  abs,
  div,
  isTensor,
  mul,
  requireObject,
  sigmoid,
  sub,
  type Tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";

/**
 * How the friction coefficient xi follows from the change of the gradient, with Delta = previous - present gradient:
 *
 * - `abs`, the published method: `1 / (1 + e^-|Delta|)` in [1/2, 1);
 * - `signed`: `1 / (1 + e^-Delta)` in (0, 1): a rising gradient brakes, a falling one frees;
 * - `wide`: `9 / (1 + e^-(|Delta| / 2)) - 4` in [1/2, 5): may go up to five times as far as Adam;
 * - `none`: 1, which is Adam;
 * - a function of the previous and the present gradient, in tensor operations, that gives a tensor of their shape.
 */
export type Friction = FrictionVariant | ((previousGradient: Tensor, gradient: Tensor) => Tensor);

/** The named variants. */
export type FrictionVariant = "abs" | "signed" | "wide" | "none";

const formulas: Readonly<Record<FrictionVariant, (previousGradient: Tensor, gradient: Tensor) => Tensor>> = {
  abs: (previousGradient, gradient) => sigmoid(abs(sub(previousGradient, gradient))),
  signed: (previousGradient, gradient) => sigmoid(sub(previousGradient, gradient)),
  wide: (previousGradient, gradient) => sub(mul(sigmoid(div(abs(sub(previousGradient, gradient)), 2)), 9), 4),
  none: (_, gradient) => mul(gradient, 0).add(1),
};

/** @throws ValueError for a variant that does not exist. */
export function requireFriction(friction: Friction): void {
  if (typeof friction !== "function" && !Object.hasOwn(formulas, friction)) {
    const known = Object.keys(formulas).join(", ");
    throw new ValueError(`diffGrad: friction is "${friction}"; it must be one of ${known}, or a function`);
  }
}

/**
 * The friction coefficient xi of every coordinate (equation 7 of the paper for `abs`).
 * @param previousGradient the gradient of the step before, zeros at the first step
 * @param gradient of the same shape
 * @param friction default `abs`
 * @throws ValueError for what is no tensor.
 */
export function frictionCoefficient(previousGradient: Tensor, gradient: Tensor, friction: Friction = "abs"): Tensor {
  requireFriction(friction);
  for (const [name, gradients] of Object.entries({ previousGradient, gradient })) {
    if (!isTensor(gradients)) throw new ValueError(`frictionCoefficient: ${name} is ${gradients}; give a tensor`);
  }
  const xi = (typeof friction === "function" ? friction : formulas[friction])(previousGradient, gradient);
  if (!isTensor(xi) || xi.shape.join() !== gradient.shape.join()) {
    const given = isTensor(xi) ? `shape [${xi.shape}]` : `${xi}, no tensor,`;
    throw new ValueError(
      `diffGrad: friction gave ${given} for a gradient of shape [${gradient.shape}]; it must keep the shape`,
    );
  }
  return xi;
}

/**
 * The friction coefficients that an update used, from the states before and after it: a tree like the parameters.
 * Their mean tells how far diffGrad was from Adam (1) and from Adam with half the step (1/2).
 * @typeParam P - the tree of the parameters
 */
export function frictionOfUpdate<P = tree.Tree>(
  before: { readonly previousGradient: unknown },
  after: { readonly previousGradient: unknown },
  friction: Friction = "abs",
): P {
  requireObject("frictionOfUpdate", "before", before, "{ previousGradient }");
  requireObject("frictionOfUpdate", "after", after, "{ previousGradient }");
  return tree.map(
    (previous: Tensor, present: Tensor) => frictionCoefficient(previous, present, friction),
    before.previousGradient,
    after.previousGradient,
  ) as P;
}
