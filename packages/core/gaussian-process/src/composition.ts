import {
  add,
  mul,
  requireObject,
  ShapeError,
  special,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { growth, type Kernel, type ParameterTree, positive, rawOf } from "./kernel.js";

/** `variance` times a kernel. */
export function scale(kernel: Kernel, variance: TensorLike): Kernel {
  const family = {};
  const at = (raw: Tensor, inner: Kernel): Kernel => {
    const value = special.softplus(raw);
    return {
      parameters: { variance: raw, kernel: inner.parameters },
      values: { variance: value, kernel: inner.values },
      matrix: (x, x2) => mul(value, inner.matrix(x, x2)),
      diagonal: (x) => mul(value, inner.diagonal(x)),
      with: (parameters) => {
        const { variance: next, kernel: rest } = parameters as { variance: Tensor; kernel: ParameterTree };
        return at(next, inner.with(rest));
      },
      times: (factor) => at(rawOf(mul(value, factor)), inner),
      family,
      spectrum: { kind: "scaled", kernel: inner, variance: value },
      ...roughness([inner]),
    };
  };
  requireObject("scale", "kernel", kernel, "a Kernel");
  const given = positive("scale", "variance", variance);
  if (given.rank !== 0) throw new ShapeError(`scale: variance has shape [${given.shape}]; it must be a number`);
  return at(rawOf(given), kernel);
}

/** The sum of kernels: of independent functions. */
export function sumOf(...kernels: Kernel[]): Kernel {
  const spectrum = (all: readonly Kernel[]) => ({ kind: "sum", kernels: all }) as const;
  return combined("sumOf", kernels, { operation: add, grows: () => true, spectrum });
}

/** The product of kernels. */
export function productOf(...kernels: Kernel[]): Kernel {
  const grows = (k: number) => k === kernels.findIndex(({ times }) => times !== undefined);
  return combined("productOf", kernels, { operation: mul, grows });
}

/** A kernel of some of the inputs: their positions from 0. */
export function onInputs(kernel: Kernel, inputs: readonly number[]): Kernel {
  requireObject("onInputs", "kernel", kernel, "a Kernel");
  requireObject("onInputs", "inputs", inputs, "an array of numbers");
  if (inputs.length === 0 || inputs.some((j) => !Number.isSafeInteger(j) || j < 0)) {
    throw new ValueError(`onInputs: inputs are [${inputs}]; give the positions of one input or more, from 0`);
  }
  const places = tensor([...inputs], { dtype: "int32" });
  const part = (x: Tensor) => {
    const beyond = inputs.find((j) => j >= x.shape[1]);
    if (beyond === undefined) return take(x, places, 1);
    throw new ShapeError(
      `onInputs: the kernel is of input ${beyond}, and there are ${x.shape[1]}, from 0; give others`,
    );
  };
  const family = {};
  const at = (inner: Kernel): Kernel => ({
    parameters: inner.parameters,
    values: inner.values,
    matrix: (x, x2 = x) => inner.matrix(part(x), part(x2)),
    diagonal: (x) => inner.diagonal(part(x)),
    with: (parameters) => at(inner.with(parameters)),
    family,
    ...growth(inner, at),
    spectrum: { kind: "inputs", kernel: inner, inputs },
    ...roughness([inner]),
  });
  return at(kernel);
}

/**
 * An additive function: the sum of kernels of one input each, the first of the first input.
 * @throws ShapeError, when it is asked, for points with another number of inputs
 */
export function additive(kernels: readonly Kernel[]): Kernel {
  requireObject("additive", "kernels", kernels, "an array");
  if (kernels.length === 0) throw new ValueError("additive: give one kernel or more, one for each input");
  const whole = (x: Tensor): Tensor => {
    if (x.shape[1] === kernels.length) return x;
    throw new ShapeError(`additive: there are ${kernels.length} kernels and ${x.shape[1]} inputs; give one of each`);
  };
  const at = (inner: Kernel): Kernel => ({
    ...inner,
    matrix: (x, x2) => inner.matrix(whole(x), x2 === undefined ? x2 : whole(x2)),
    diagonal: (x) => inner.diagonal(whole(x)),
    with: (parameters) => at(inner.with(parameters)),
    ...growth(inner, at),
  });
  return at(sumOf(...kernels.map((kernel, j) => onInputs(kernel, [j]))));
}

/** Functions of several kernels have derivatives where those of all have. */
function roughness(kernels: readonly Kernel[]): Pick<Kernel, "differentiable"> {
  return kernels.some(({ differentiable }) => differentiable === false) ? { differentiable: false } : {};
}

/** How kernels make one. */
interface Combination {
  readonly operation: (a: Tensor, b: Tensor) => Tensor;
  /** Whether the k-th grows where the whole does. */
  readonly grows: (k: number) => boolean;
  readonly spectrum?: (kernels: readonly Kernel[]) => Kernel["spectrum"];
}

function combined(owner: string, kernels: readonly Kernel[], { operation, grows, spectrum }: Combination): Kernel {
  if (kernels.length === 0) throw new ValueError(`${owner}: give one kernel or more`);
  for (const kernel of kernels) requireObject(owner, "a kernel", kernel, "a Kernel");
  const growing = kernels.filter((_, k) => grows(k));
  const canGrow = growing.length > 0 && growing.every(({ times }) => times !== undefined);
  const family = {};
  const at = (all: readonly Kernel[]): Kernel => {
    const drawn = spectrum?.(all);
    const times = (factor: number) =>
      at(all.map((kernel, k) => (grows(k) && kernel.times ? kernel.times(factor) : kernel)));
    return {
      parameters: all.map(({ parameters }) => parameters),
      values: all.map(({ values }) => values),
      matrix: (x, x2) => all.map((kernel) => kernel.matrix(x, x2)).reduce(operation),
      diagonal: (x) => all.map((kernel) => kernel.diagonal(x)).reduce(operation),
      with: (parameters) => at(all.map((kernel, k) => kernel.with((parameters as readonly ParameterTree[])[k]))),
      family,
      ...(canGrow ? { times } : {}),
      ...(drawn === undefined ? {} : { spectrum: drawn }),
      ...roughness(all),
    };
  };
  return at(kernels);
}
