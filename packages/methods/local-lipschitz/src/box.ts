import {
  asTensor,
  checkOptions,
  requireNonNegative,
  requireObject,
  ShapeError,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";

/** All inputs between two of them, coordinate by coordinate. */
export interface Box {
  /** `[d]` or the shape of an input. */
  readonly lower: TensorLike;
  /** The same shape. */
  readonly upper: TensorLike;
}

/** @internal */
export interface CheckedBox {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** Options of `boxAround`. */
export interface BoxOptions {
  /** Least value of an input; numbers for all coordinates or one for each. Default none. */
  readonly min?: TensorLike;
  /** Largest value of an input. Default none. */
  readonly max?: TensorLike;
}

/** @internal Values of an argument. @throws ValueError that names it where it is nothing of the kind */
export function floatsOf(owner: string, name: string, x: TensorLike): Float64Array {
  try {
    return Float64Array.from(asTensor(x, "float64").data());
  } catch (error) {
    throw new ValueError(`${owner}: ${name} holds no numbers: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * The box of all inputs that differ from one by at most eps in every coordinate, cut off at the range of the data. Of
 * inputs that were standardised divide eps by the standard deviation: it may be one number or one for each coordinate.
 *
 * @throws ValueError for eps < 0, values that are not finite, or a range that leaves nothing
 * @example
 * const box = boxAround(image, 2 / 255, { min: 0, max: 1 });
 */
export function boxAround(x0: TensorLike, eps: TensorLike, options: BoxOptions = {}): Box {
  const owner = "boxAround";
  checkOptions(owner, options, ["min", "max"]);
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = options;
  const x = floatsOf(owner, "x0", x0);
  if (x.length === 0) throw new ShapeError(`${owner}: x0 is empty; give one value for each input`);
  const each = (values: TensorLike, name: string): Float64Array => {
    const given = floatsOf(owner, name, values);
    if (given.includes(Number.NaN)) throw new ValueError(`${owner}: ${name} holds NaN; give numbers`);
    if (given.length !== 1 && given.length !== x.length) {
      throw new ShapeError(`${owner}: ${name} has ${given.length} values; give one, or ${x.length} as x0 has`);
    }
    return given.length === x.length ? given : new Float64Array(x.length).fill(given[0]);
  };
  const [radius, least, most] = [each(eps, "eps"), each(min, "min"), each(max, "max")];
  const lower = new Float64Array(x.length);
  const upper = new Float64Array(x.length);
  for (let j = 0; j < x.length; j++) {
    requireNonNegative(owner, "eps", radius[j]);
    if (!Number.isFinite(x[j])) throw new ValueError(`${owner}: x0 has the value ${x[j]}; give finite ones`);
    // Sums are rounded: the box must not be smaller for it.
    lower[j] = Math.max(radius[j] === 0 ? x[j] : below(x[j] - radius[j]), least[j]);
    upper[j] = Math.min(radius[j] === 0 ? x[j] : above(x[j] + radius[j]), most[j]);
    if (lower[j] > upper[j]) {
      throw new ValueError(`${owner}: min and max leave nothing of coordinate ${j}; x0 is ${x[j]}, eps ${radius[j]}`);
    }
  }
  return { lower, upper };
}

const above = (x: number): number => x + Math.abs(x) * 2 ** -53 + Number.MIN_VALUE;
const below = (x: number): number => x - Math.abs(x) * 2 ** -53 - Number.MIN_VALUE;

/** @internal @throws ShapeError, ValueError */
export function checkBox(owner: string, box: Box, inputs: number): CheckedBox {
  requireObject(owner, "box", box, "{ lower, upper }");
  checkOptions(`${owner}: box`, box, ["lower", "upper"], ["lower", "upper"]);
  const [l, u] = [floatsOf(owner, "box.lower", box.lower), floatsOf(owner, "box.upper", box.upper)];
  for (const [name, values] of Object.entries({ lower: l, upper: u })) {
    if (values.length !== inputs) {
      throw new ShapeError(`${owner}: box.${name} has ${values.length} values and the network ${inputs} inputs`);
    }
  }
  for (let j = 0; j < inputs; j++) {
    if (!Number.isFinite(l[j]) || !Number.isFinite(u[j])) {
      throw new ValueError(`${owner}: box has the interval [${l[j]}, ${u[j]}] at coordinate ${j}; give finite ends`);
    }
    if (l[j] > u[j]) {
      throw new ValueError(`${owner}: box.lower is ${l[j]} at coordinate ${j}, above box.upper ${u[j]}; exchange them`);
    }
  }
  return { lower: l, upper: u };
}
