import {
  type Complex,
  complex,
  type Scheme,
  type StiffSystem,
  schemes,
  sobolevSquared,
  toField,
  toSpectrum,
} from "@offprint/spectral";
import {
  checkOptions,
  div,
  isTensor,
  matmul,
  mean,
  requireChoice,
  requireFinite,
  requireNonNegative,
  requireObject,
  requirePositive,
  ShapeError,
  sqrt,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** What is added to |omega|^2 in the norm of the residual. */
export const SHIFT = 10 ** -1.5;

/** Where the derivative in time comes from. */
export type TimeDerivative = "spectral" | "finite-difference" | "solver-step";

/** Options of {@link estimate}. */
export interface EstimateOptions {
  /** Time between two frames, > 0. */
  readonly spacing: number;
  /** The derivative in time of the frames, where it is known, like them. Default: differences of fourth order. */
  readonly rate?: TensorLike;
  /**
   * `"finite-difference"` (default), or for comparison `"solver-step"`: one step of a solver from the frame itself, which
   * estimates nothing (see {@link solverStepRate}).
   */
  readonly timeDerivative?: Exclude<TimeDerivative, "spectral">;
  /** Order of the norm. Default -1. */
  readonly order?: number;
  /** What is added to |omega|^2 in it, > 0. Default 10^-1.5. */
  readonly shift?: number;
}

/** What {@link estimate} gives. */
export interface Estimate {
  /** eta: the root of the mean over frames of the squared norm of the residual. */
  readonly eta: number;
  /** The norm of each frame's residual. */
  readonly perFrame: Float64Array;
}

/**
 * How far frames are from solving the equation, without knowing the solution: the residual in a negative Sobolev norm.
 * @param system such as `navierStokes` of `@offprint/spectral`: w_t = L w + N(w)
 * @param frames `[frames, n, n]`
 */
export function estimate(system: StiffSystem, frames: TensorLike, options: EstimateOptions): Estimate {
  requireObject("estimate", "system", system, "a StiffSystem");
  const owner = "estimate";
  checkOptions(owner, options, ["spacing", "rate", "timeDerivative", "order", "shift"], ["spacing"]);
  const { spacing, timeDerivative = "finite-difference", order = -1, shift = SHIFT } = options;
  requirePositive(owner, "spacing", spacing);
  requireChoice(owner, "timeDerivative", timeDerivative, ["finite-difference", "solver-step"]);
  requirePositive(owner, "shift", shift);
  const w = fieldsOf(owner, frames);
  const rate =
    options.rate !== undefined
      ? fieldsOf(owner, options.rate)
      : timeDerivative === "solver-step"
        ? solverStepRate(system, w)
        : differences(w, spacing);
  const squares = residualSquares(system, w, rate, order, shift);
  return { eta: Math.sqrt(mean(squares).item()), perFrame: Float64Array.from(sqrt(squares).data()) };
}

/** Coefficients of w_t - L w - N(w). */
export function residual(system: StiffSystem, w: Complex, rate: Complex): Complex {
  return complex.minus(complex.minus(rate, complex.scale(w, system.linear)), system.nonlinear(w));
}

/** The squared norm of each frame's residual, `[frames]`. */
export function residualSquares(system: StiffSystem, w: Tensor, rate: Tensor, order: number, shift: number): Tensor {
  const { grid } = system;
  return sobolevSquared(grid, residual(system, toSpectrum(grid, w), toSpectrum(grid, rate)), { order, shift });
}

/**
 * The derivative in time that the published code takes: one step of a solver from each frame itself, over its size. The
 * residual then measures the step's own error, of the size of the step, whatever the frames are.
 */
export function solverStepRate(system: StiffSystem, w: Tensor, step = 1e-6, scheme: Scheme = schemes.imex2): Tensor {
  requireObject("solverStepRate", "system", system, "a StiffSystem");
  requireObject("solverStepRate", "w", w, "a tensor");
  const { grid } = system;
  const next = scheme.step(system, toSpectrum(grid, w), step);
  return div(toField(grid, complex.minus(next, toSpectrum(grid, w))), step);
}

/** Derivatives of frames by differences of fourth order, one-sided at both ends. */
export function differences(w: Tensor, spacing: number): Tensor {
  const [frames, ...field] = w.shape;
  if (frames < 5) {
    throw new ValueError(`estimate: ${frames} frames; differences of fourth order need 5, or give the rate`);
  }
  const matrix = new Float64Array(frames * frames);
  for (let i = 0; i < frames; i++) {
    const start = Math.max(0, Math.min(frames - 5, i - 2));
    stencils[i - start].forEach((value, k) => {
      matrix[i * frames + start + k] = value / (12 * spacing);
    });
  }
  const d = tensor(matrix, { shape: [frames, frames], dtype: w.dtype });
  return matmul(d, w.reshape([frames, -1])).reshape([frames, ...field]);
}

/** Twelve times the weights of five neighbours for the derivative at each of them. */
const stencils = [
  [-25, 48, -36, 16, -3],
  [-3, -10, 18, -6, 1],
  [1, -8, 0, 8, -1],
  [-1, 6, -18, 10, 3],
  [3, -16, 36, -48, 25],
];

/** What {@link reliabilityBound} needs. */
export interface ReliabilityInput {
  /** ||e(t_0)||, the error of the known frame in root mean square, >= 0. */
  readonly initialError: number;
  /** Norms of the residual of each frame (`perFrame`). */
  readonly perFrame: ArrayLike<number>;
  /** Time between two frames, > 0. */
  readonly spacing: number;
  /** nu, > 0. */
  readonly viscosity: number;
}

/**
 * The right-hand side of the reliability estimate, ||e(t_0)||^2 + (1/nu) int ||R||_{-1}^2 dt, by the trapezoidal rule. For a
 * linear flow nu int ||grad e||^2 dt is at most this; for a turbulent one up to a constant that depends on the flow. The
 * error of the start is a part of it: no residual sees it.
 */
export function reliabilityBound(reliabilityInput: ReliabilityInput): number {
  requireObject("reliabilityBound", "reliabilityInput", reliabilityInput, "a ReliabilityInput");
  const { initialError, perFrame, spacing, viscosity } = reliabilityInput;
  requireNonNegative("reliabilityBound", "initialError", initialError);
  requirePositive("reliabilityBound", "spacing", spacing);
  requirePositive("reliabilityBound", "viscosity", viscosity);
  if (!Array.from(perFrame ?? [Number.NaN]).every((norm) => norm >= 0)) {
    throw new ValueError("reliabilityBound: perFrame must be the norms of the residuals, numbers >= 0");
  }
  let integral = 0;
  for (let i = 0; i + 1 < perFrame.length; i++) integral += (spacing / 2) * (perFrame[i] ** 2 + perFrame[i + 1] ** 2);
  return initialError ** 2 + integral / viscosity;
}

function fieldsOf(owner: string, frames: TensorLike): Tensor {
  const w = tensor(isTensor(frames) ? frames : tensor(frames, { dtype: "float64" }), { dtype: "float64" });
  if (w.rank !== 3) throw new ShapeError(`${owner}: the frames have shape [${w.shape}]; they must be [frames, n, n]`);
  requireFinite(owner, "frames", w);
  return w;
}
