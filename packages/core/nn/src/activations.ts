import {
  asTensor,
  neg,
  relu,
  sigmoid,
  special,
  type Tensor,
  type TensorLike,
  tanh,
  ValueError,
} from "@offprint/tensor-core";

/** A function applied to every value. */
export type Activation = (x: TensorLike) => Tensor;

/** Names of the activations. */
export type ActivationName =
  | "relu"
  | "leakyRelu"
  | "elu"
  | "selu"
  | "gelu"
  | "silu"
  | "softplus"
  | "sigmoid"
  | "logSigmoid"
  | "tanh"
  | "identity";

const activations: Readonly<Record<ActivationName, Activation>> = {
  relu,
  leakyRelu: (x) => special.leakyRelu(x),
  elu: (x) => special.elu(x),
  selu: (x) => special.selu(x),
  gelu: (x) => special.gelu(x),
  silu: (x) => special.silu(x),
  softplus: (x) => special.softplus(x),
  sigmoid,
  logSigmoid: (x) => neg(special.softplus(neg(x))),
  tanh,
  identity: (x) => asTensor(x),
};

/**
 * An activation by its name; functions pass through.
 * @throws ValueError for a name that does not exist.
 */
export function activation(choice: ActivationName | Activation): Activation {
  if (typeof choice === "function") return choice;
  if (!Object.hasOwn(activations, choice)) {
    throw new ValueError(`activation: "${choice}" does not exist; there are ${Object.keys(activations).join(", ")}`);
  }
  return activations[choice];
}
