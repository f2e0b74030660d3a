import {
  ones,
  type Rng,
  requireObject,
  requirePositive,
  type Shape,
  type Tensor,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import type { FloatType } from "./layer.js";

/** Numbers of inputs and outputs that one entry of a weight connects, which set the scale of its initial values. */
export interface Fans {
  /** Inputs that one output sums over. */
  readonly inputs: number;
  /** Outputs that one input contributes to. */
  readonly outputs: number;
}

/** Draws a parameter of the given shape. */
export type Initializer = (rng: Rng, shape: Shape, fans: Fans, dtype: FloatType) => Tensor;

function checked(name: string, draw: Initializer): Initializer {
  return (rng, shape, fans, dtype) => {
    requireObject(`initializers.${name}`, "rng", rng, "a generator of random.rng(seed)");
    requireObject(`initializers.${name}`, "shape", shape, "an array of extents");
    requireObject(`initializers.${name}`, "fans", fans, "{ inputs, outputs }");
    return draw(rng, shape, fans, dtype);
  };
}

/** Initialisers by their usual names; those with a parameter are functions that give one. */
export const initializers = {
  /** Uniform on +-1 / sqrt(inputs), the default of PyTorch's linear and convolution layers. */
  uniformFanIn: checked("uniformFanIn", (rng, shape, { inputs }, dtype) =>
    uniform(rng, shape, 1 / Math.sqrt(inputs), dtype),
  ),
  /** Uniform with variance 2 / (inputs + outputs) (Glorot and Bengio, AISTATS 2010). */
  glorotUniform: checked("glorotUniform", (rng, shape, { inputs, outputs }, dtype) =>
    uniform(rng, shape, Math.sqrt(6 / (inputs + outputs)), dtype),
  ),
  /** Normal with variance 2 / (inputs + outputs). */
  glorotNormal: checked("glorotNormal", (rng, shape, { inputs, outputs }, dtype) =>
    rng.normal(shape, { std: Math.sqrt(2 / (inputs + outputs)), dtype }),
  ),
  /** Uniform with variance 2 / inputs, which keeps the scale through ReLU (He et al., ICCV 2015). */
  heUniform: checked("heUniform", (rng, shape, { inputs }, dtype) => uniform(rng, shape, Math.sqrt(6 / inputs), dtype)),
  /** Normal with variance 2 / inputs. */
  heNormal: checked("heNormal", (rng, shape, { inputs }, dtype) =>
    rng.normal(shape, { std: Math.sqrt(2 / inputs), dtype }),
  ),
  /** Orthonormal rows or columns of the weight seen as a matrix with all axes but the last as rows. */
  orthogonal: checked("orthogonal", (rng, shape, _, dtype) => {
    if (shape.length < 2) throw new ValueError(`orthogonal: a weight of shape [${shape}] is no matrix`);
    const columns = shape[shape.length - 1];
    const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    return rng.orthogonal([rows, columns], { dtype }).reshape(shape);
  }),
  /** Zeros. */
  zeros: ((_rng, shape, _fans, dtype) => zeros(shape, dtype)) as Initializer,
  /** Ones. */
  ones: ((_rng, shape, _fans, dtype) => ones(shape, dtype)) as Initializer,
  /** Normal with mean 0 and standard deviation `std` (> 0). */
  normal(std: number): Initializer {
    requirePositive("initializers.normal", "std", std);
    return (rng, shape, _, dtype) => rng.normal(shape, { std, dtype });
  },
  /** Normal with standard deviation `std` (> 0) before it is cut off at two of them. */
  truncatedNormal(std: number): Initializer {
    requirePositive("initializers.truncatedNormal", "std", std);
    return (rng, shape, _, dtype) => rng.truncatedNormal(shape, { std, dtype });
  },
};

function uniform(rng: Rng, shape: Shape, bound: number, dtype: FloatType): Tensor {
  return rng.uniform(shape, { low: -bound, high: bound, dtype });
}
