import {
  add,
  grad,
  lessEqual,
  mul,
  neg,
  pow,
  sin,
  square,
  sub,
  type Tensor,
  type TensorLike,
  where,
} from "@offprint/tensor-core";

/** A local minimum of a test function. */
export interface Minimum {
  /** Where it is. */
  readonly x: number;
  /** The function's value there. */
  readonly value: number;
}

/** One of the paper's synthetic functions of one variable, applied to every value of a tensor. */
export interface TestFunction {
  /** The function's value. */
  readonly value: (x: TensorLike) => Tensor;
  /** Its derivative; at a break point that of the piece to the left. */
  readonly derivative: (x: TensorLike) => Tensor;
  /** Its local minima, the global one first. */
  readonly minima: readonly Minimum[];
}

/** A piece of a function: its formula up to and including the break. */
type Piece = readonly [upTo: number, formula: (x: TensorLike) => TensorLike];

function piecewise(pieces: readonly Piece[], minima: readonly Minimum[]): TestFunction {
  const value = (x: TensorLike) => {
    const [[, last], ...before] = [...pieces].reverse();
    // Gradients flow only into the piece that is chosen, so this differentiates piece by piece.
    return before.reduce<Tensor>(
      (right, [upTo, formula]) => where(lessEqual(x, upTo), formula(x), right),
      add(last(x), 0),
    );
  };
  return { value, derivative: (x) => grad((t: Tensor) => value(t).sum())(add(x, 0)) as Tensor, minima };
}

const END = Number.POSITIVE_INFINITY;

/** F1, F2 and F3 of the paper's section V; every run starts at -1. */
export const testFunctions: Readonly<Record<"f1" | "f2" | "f3", TestFunction>> = {
  f1: piecewise(
    [
      [0, (x) => square(add(x, 0.3))],
      [END, (x) => add(square(sub(x, 0.2)), 0.05)],
    ],
    [
      { x: -0.3, value: 0 },
      { x: 0.2, value: 0.05 },
    ],
  ),
  f2: piecewise(
    [
      [-0.9, (x) => sub(mul(x, -40), 35.15)],
      [END, (x) => add(add(pow(x, 3), mul(x, sin(mul(x, 8)))), 0.85)],
    ],
    [
      { x: -0.64292, value: 1.198e-4 },
      { x: 0.5881, value: 0.4653 },
      { x: 0, value: 0.85 },
    ],
  ),
  f3: piecewise(
    [
      [-0.5, (x) => square(x)],
      [-0.4, (x) => add(x, 0.75)],
      [0, (x) => mul(x, -7 / 8)],
      [0.4, (x) => mul(x, 7 / 8)],
      [0.5, (x) => add(neg(x), 0.75)],
      [END, (x) => square(x)],
    ],
    [
      { x: 0, value: 0 },
      { x: -0.5, value: 0.25 },
      { x: 0.5, value: 0.25 },
    ],
  ),
};
