import {
  abs,
  add,
  clip,
  div,
  expm1,
  greater,
  maximum,
  minimum,
  mul,
  relu,
  sigmoid,
  special,
  type Tensor,
  tanh,
  where,
} from "@offprint/tensor-core";

/** Numbers that a scalar function is shaped by, by name. */
export type Parameters = Readonly<Record<string, number>>;

/** @internal A part of the line on which a function is smooth. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  /** The derivative inside and, as a limit, at both ends; a number where it is constant. */
  readonly derivative: number | ((x: number) => number);
  /** Where the derivative may be extreme inside. */
  readonly stationary?: readonly number[];
}

/** @internal A scalar activation. */
export interface ScalarFunction {
  /** Its parameters with their defaults. */
  readonly parameters: Parameters;
  /** Why parameters make no sense, or nothing. */
  readonly refuse?: (p: Parameters) => string | undefined;
  /** Values, elementwise and traceable. */
  readonly values: (x: Tensor, p: Parameters) => Tensor;
  /** Pieces in ascending order that cover the line. */
  readonly pieces: (p: Parameters) => readonly Piece[];
  /** Least and largest difference quotient. */
  readonly slopes: (p: Parameters) => readonly [number, number];
}

const { sqrt, PI, SQRT2 } = Math;
const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const density = (x: number): number => Math.exp((-x * x) / 2) / sqrt(2 * PI);
const distribution = (x: number): number => special.normalCdf(Float64Array.of(x)).data()[0];
/** Where the derivative of silu is extreme, the root of 2 = x tanh(x / 2), and its mirror image. */
const SILU_EXTREME = 2.399357280520548;

const line: Pick<Piece, "from" | "to"> = { from: -Infinity, to: Infinity };
/** A derivative whose limits are 0 and 1, where its formula would be 0 times infinity. */
const toUnit = (derivative: (x: number) => number) => (x: number) =>
  Number.isFinite(x) ? derivative(x) : x > 0 ? 1 : 0;

function corners(...parts: readonly (readonly [from: number, derivative: Piece["derivative"]])[]): Piece[] {
  return parts.map(([from, derivative], k) => ({ from, to: parts[k + 1]?.[0] ?? Infinity, derivative }));
}

/** x where it is positive, `alpha (e^(x / width) - 1)` elsewhere. */
function exponentialBelow(x: Tensor, alpha: number, width: number): Tensor {
  const positive = greater(x, 0);
  // The branch not taken must not overflow, or its gradient would be NaN.
  return where(positive, x, mul(expm1(div(where(positive, 0, x), width)), alpha));
}

const positive = (name: string) => (p: Parameters) =>
  p[name] > 0 ? undefined : `${name} must be above 0, got ${p[name]}`;

/** @internal The scalar functions that have names. */
export const scalarFunctions = {
  relu: {
    parameters: {},
    values: (x) => relu(x),
    pieces: () => corners([-Infinity, 0], [0, 1]),
    slopes: () => [0, 1],
  },
  leakyRelu: {
    parameters: { slope: 0.01 },
    values: (x, { slope }) => special.leakyRelu(x, slope),
    pieces: ({ slope }) => corners([-Infinity, slope], [0, 1]),
    slopes: ({ slope }) => [Math.min(slope, 1), Math.max(slope, 1)],
  },
  tanh: {
    parameters: {},
    values: (x) => tanh(x),
    pieces: () => [{ ...line, derivative: (x) => Math.cosh(x) ** -2, stationary: [0] }],
    slopes: () => [0, 1],
  },
  sigmoid: {
    parameters: {},
    values: (x) => sigmoid(x),
    pieces: () => [{ ...line, derivative: (x) => logistic(x) * logistic(-x), stationary: [0] }],
    slopes: () => [0, 0.25],
  },
  softplus: {
    parameters: {},
    values: (x) => special.softplus(x),
    pieces: () => [{ ...line, derivative: logistic }],
    slopes: () => [0, 1],
  },
  softsign: {
    parameters: {},
    values: (x) => div(x, add(abs(x), 1)),
    pieces: () => [{ ...line, derivative: (x) => (1 + Math.abs(x)) ** -2, stationary: [0] }],
    slopes: () => [0, 1],
  },
  elu: {
    parameters: { alpha: 1 },
    values: (x, { alpha }) => exponentialBelow(x, alpha, 1),
    pieces: ({ alpha }) => corners([-Infinity, (x) => alpha * Math.exp(x)], [0, 1]),
    slopes: ({ alpha }) => [Math.min(0, alpha), Math.max(1, alpha)],
  },
  celu: {
    parameters: { alpha: 1 },
    refuse: positive("alpha"),
    values: (x, { alpha }) => exponentialBelow(x, alpha, alpha),
    pieces: ({ alpha }) => corners([-Infinity, (x) => Math.exp(x / alpha)], [0, 1]),
    slopes: () => [0, 1],
  },
  selu: {
    parameters: { alpha: 1.6732632423543772, gamma: 1.0507009873554805 },
    refuse: positive("gamma"),
    values: (x, { alpha, gamma }) => mul(exponentialBelow(x, alpha, 1), gamma),
    pieces: ({ alpha, gamma }) => corners([-Infinity, (x) => gamma * alpha * Math.exp(x)], [0, gamma]),
    slopes: ({ alpha, gamma }) => [Math.min(0, gamma * alpha), gamma * Math.max(1, alpha)],
  },
  gelu: {
    parameters: {},
    values: (x) => special.gelu(x),
    pieces: () => [
      { ...line, derivative: toUnit((x) => distribution(x) + x * density(x)), stationary: [-SQRT2, SQRT2] },
    ],
    // -0.12904 and 1.12904, rounded outwards.
    slopes: () => [-0.1291, 1.1291],
  },
  silu: {
    parameters: {},
    values: (x) => special.silu(x),
    pieces: () => [
      {
        ...line,
        derivative: toUnit((x) => logistic(x) * (1 + x * logistic(-x))),
        stationary: [-SILU_EXTREME, SILU_EXTREME],
      },
    ],
    // -0.09984 and 1.09984, rounded outwards.
    slopes: () => [-0.1, 1.1],
  },
  identity: {
    parameters: {},
    values: (x) => x,
    pieces: () => [{ ...line, derivative: 1 }],
    slopes: () => [1, 1],
  },
  abs: {
    parameters: {},
    values: (x) => abs(x),
    pieces: () => corners([-Infinity, -1], [0, 1]),
    slopes: () => [-1, 1],
  },
  clip: {
    parameters: { low: 0, high: 1 },
    refuse: ({ low, high }) => (low < high ? undefined : `low must be below high, got ${low} and ${high}`),
    values: (x, { low, high }) => {
      const above = low === -Infinity ? x : maximum(x, low);
      return high === Infinity ? above : minimum(above, high);
    },
    pieces: ({ low, high }) => corners([-Infinity, 0], [low, 1], [high, 0]).filter(({ from, to }) => from < to),
    slopes: ({ low, high }) => (low === -Infinity && high === Infinity ? [1, 1] : [0, 1]),
  },
  hardSigmoid: {
    parameters: { alpha: 0.2, beta: 0.5 },
    refuse: positive("alpha"),
    values: (x, { alpha, beta }) => clip(add(mul(x, alpha), beta), 0, 1),
    pieces: ({ alpha, beta }) => corners([-Infinity, 0], [-beta / alpha, alpha], [(1 - beta) / alpha, 0]),
    slopes: ({ alpha }) => [0, alpha],
  },
  hardSwish: {
    parameters: {},
    values: (x) => mul(x, clip(div(add(x, 3), 6), 0, 1)),
    pieces: () => corners([-Infinity, 0], [-3, (x) => (2 * x + 3) / 6], [3, 1]),
    slopes: () => [-0.5, 1.5],
  },
} as const satisfies Record<string, ScalarFunction>;

/** Names of the scalar functions that activations may be. */
export type ScalarName = keyof typeof scalarFunctions;

/** @internal */
export function scalarFunction(name: ScalarName): ScalarFunction {
  return scalarFunctions[name];
}
