import {
  type Complex,
  complex,
  extendModes,
  keptShape,
  lowSpectrum,
  type NavierStokes,
  type StiffSystem,
  sobolevSquared,
  toSpectrum,
  velocity,
} from "@offprint/spectral";
import { add, div, maximum, mean, mul, square, type Tensor, tensor } from "@offprint/tensor-core";
import { differences, residualSquares, solverStepRate, type TimeDerivative } from "./estimate.js";
import { type Forecast, forecastFrames } from "./forecast.js";

/** What is optimised: scaled corrections of the coefficients, and of the last layer's weights where these are refined. */
export interface Corrections {
  /** Of the biases: free coefficients. */
  readonly bias: Complex;
  /** Of the weights. */
  readonly weight?: Complex;
}

/** What the objective of a refinement consists of. */
export interface Refinement {
  /** No corrections. */
  readonly initial: Corrections;
  /** The coefficients with corrections, without the mean of the field, which is conserved. */
  coefficients(corrections: Corrections): Complex;
  /** Frames 0 to the last and their derivatives in time. */
  trajectory(corrections: Corrections): { readonly frames: Tensor; readonly rate: Tensor; readonly change: Tensor };
  /** The mean over frames of the squared norm of the residual, and the squared error of the known frame. */
  terms(corrections: Corrections, carrier?: Tensor): { readonly residual: Tensor; readonly start: Tensor };
  /** The velocity of all frames, to be held fixed while the rest is optimised. */
  carrier(corrections: Corrections): Tensor;
}

/** Settings of {@link refinementOf}. */
export interface RefinementSettings {
  readonly modes: readonly [number, number, number];
  readonly spacing: number;
  readonly order: number;
  readonly shift: number;
  readonly oversample: number;
  readonly timeDerivative: TimeDerivative;
  readonly weights: boolean;
  /** Whether corrections are in units that make the objective well conditioned. */
  readonly scaled: boolean;
}

/** The trajectory of a forecast as a function of corrections to its coefficients, in which it is affine. */
export function refinementOf(system: StiffSystem, start: Forecast, settings: RefinementSettings): Refinement {
  const { grid } = system;
  const { modes, spacing, order, shift, oversample, timeDerivative } = settings;
  const { last, frames, length } = start;
  const n = last.shape[0];
  const kept = keptShape(modes);
  const base = extendModes(start.coefficients, start.modes, modes);
  const unit = settings.scaled ? scales(system, start, settings) : tensor(1, { dtype: "float64" });
  const window = settings.weights && start.window !== undefined ? windowSpectrum(start.window, modes) : undefined;
  const conserved = meanMask(kept);
  const nothing = tensor(new Float64Array(kept.reduce((a, b) => a * b, 1)), { shape: kept });
  const coefficients = ({ bias, weight }: Corrections): Complex => {
    let all = complex.plus(base, complex.scale(bias, unit));
    if (weight !== undefined && window !== undefined) {
      all = complex.plus(all, complex.scale(complex.times(weight, window), unit));
    }
    return complex.scale(all, conserved);
  };
  const trajectory = (corrections: Corrections) => {
    const all = coefficients(corrections);
    const times = { n, length, first: 0, frames, oversample };
    const change = forecastFrames(all, times);
    const values = add(change, last);
    const rate =
      timeDerivative === "spectral"
        ? forecastFrames(all, { ...times, spacing })
        : timeDerivative === "solver-step"
          ? solverStepRate(system, values)
          : differences(values, spacing / oversample);
    return { frames: values, rate, change };
  };
  return {
    initial: {
      bias: { re: nothing, im: nothing },
      ...(window === undefined ? {} : { weight: { re: nothing, im: nothing } }),
    },
    coefficients,
    trajectory,
    terms(corrections, carrier) {
      const { frames: values, rate, change } = trajectory(corrections);
      const squares =
        carrier === undefined
          ? residualSquares(system, values, rate, order, shift)
          : frozenSquares(system as NavierStokes, values, rate, carrier, order, shift);
      // The first of the frames is the known one: what is added to it there is its error.
      return { residual: mean(squares), start: mean(square(change.slice([0]))) };
    },
    carrier: (corrections) => velocity(grid, trajectory(corrections).frames),
  };
}

/** The residual with a velocity that is given: linear in the field. */
function frozenSquares(
  system: NavierStokes,
  values: Tensor,
  rate: Tensor,
  carrier: Tensor,
  order: number,
  shift: number,
): Tensor {
  const { grid, forcing } = system;
  const w = toSpectrum(grid, values);
  const still = complex.minus(toSpectrum(grid, rate), complex.scale(w, system.linear));
  const moving = complex.plus(still, system.transport(carrier, w));
  return sobolevSquared(grid, forcing === undefined ? moving : complex.minus(moving, forcing), { order, shift });
}

/** 0 for coefficients of the spatial mean, else 1. */
function meanMask(kept: readonly number[]): Tensor {
  const [a, b] = kept;
  const mask = new Float64Array(a * b).fill(1);
  mask[0] = 0;
  return tensor(mask, { shape: [a, b, 1] });
}

/**
 * The size of a coefficient whose residual has size one: n^2 length over the root of (omega_j^2 + L_k^2 + 1) / (shift +
 * |omega_k|^2).
 */
function scales(system: StiffSystem, { length }: Forecast, settings: RefinementSettings): Tensor {
  const { grid } = system;
  const { modes, spacing, shift } = settings;
  const [n] = grid.points;
  const linear = system.linear.data();
  const columns = grid.modes[1];
  const kept = keptShape(modes);
  const values = new Float64Array(kept[0] * kept[1] * kept[2]);
  const frequency = (i: number, m: number) => (i < m ? i : i - 2 * m);
  for (let i = 0, at = 0; i < kept[0]; i++) {
    const k = frequency(i, modes[0]);
    for (let j = 0; j < kept[1]; j++) {
      const l = frequency(j, modes[1]);
      const squared = ((2 * Math.PI * k) / grid.length[0]) ** 2 + ((2 * Math.PI * l) / grid.length[1]) ** 2;
      // Half of the spectrum is stored; the linear part is the same for opposite frequencies.
      const [row, column] = l < 0 ? [-k, -l] : [k, l];
      const decay = linear[((row + n) % n) * columns + column];
      for (let t = 0; t < kept[2]; t++, at++) {
        const omega = (2 * Math.PI * t) / (length * spacing);
        values[at] = (n * n * length) / Math.sqrt((omega ** 2 + decay ** 2 + 1) / (shift + squared));
      }
    }
  }
  return tensor(values, { shape: kept });
}

/** Coefficients of what the last layer was given, in units of the largest. */
function windowSpectrum(window: Tensor, modes: readonly number[]): Complex {
  const spectrum = lowSpectrum(window, modes);
  const largest = maximum(complex.squaredModulus(spectrum).max(), Number.MIN_VALUE).sqrt();
  return complex.mapParts(spectrum, (part) => div(part, largest));
}

/** eta^2 + weight times the squared error of the known frame. */
export function objectiveOf(
  { residual, start }: { readonly residual: Tensor; readonly start: Tensor },
  initialWeight: number,
): Tensor {
  return add(residual, mul(start, initialWeight));
}
