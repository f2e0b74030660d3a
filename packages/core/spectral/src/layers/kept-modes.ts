import {
  concatenate,
  fft,
  pad,
  requireInteger,
  requireObject,
  ShapeError,
  slice,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type Complex, mapParts } from "../complex.js";

/** Checks the numbers of modes of a layer, one for each axis of the grid. */
export function checkModes(owner: string, modes: readonly number[]): void {
  if (!Array.isArray(modes) || modes.length < 1 || modes.length > 3) {
    throw new ValueError(`${owner}: modes is ${JSON.stringify(modes)}; it must be an array of one to three numbers`);
  }
  for (const m of modes) requireInteger(owner, "modes", m, 1);
}

/** Coefficients kept along each axis: both signs of the frequency but on the last. */
export function keptShape(modes: readonly number[]): number[] {
  requireObject("keptShape", "modes", modes, "an array of numbers");
  return modes.map((m, axis) => (axis === modes.length - 1 ? m : 2 * m));
}

/** Throws where a grid has too few points for the modes that are kept: they would overlap. */
export function requireModesFit(owner: string, modes: readonly number[], points: readonly number[]): void {
  requireObject(owner, "modes", modes, "an array of numbers");
  requireObject(owner, "points", points, "an array of numbers");
  modes.forEach((m, axis) => {
    const most = axis === modes.length - 1 ? Math.floor(points[axis] / 2) + 1 : Math.floor(points[axis] / 2);
    if (m > most) {
      throw new ShapeError(
        `${owner}: ${m} modes do not fit ${points[axis]} points along axis ${axis} of the grid; at most ${most} do`,
      );
    }
  });
}

/** The last `count` axes of a tensor. */
function lastAxes(rank: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => rank - count + i);
}

/**
 * The lowest coefficients of real fields `[..., ...points]`: `[..., 2 m, ..., m]`, along each axis but the last in the order
 * 0, ..., m - 1, -m, ..., -1.
 */
export function lowSpectrum(x: Tensor, modes: readonly number[]): Complex {
  requireObject("lowSpectrum", "x", x, "a tensor");
  requireObject("lowSpectrum", "modes", modes, "an array of numbers");
  const axes = lastAxes(x.rank, modes.length);
  // Each axis is cut as soon as it is transformed, so that the later ones have less to do.
  let spectrum = lowest(fft.rfft(x, axes[modes.length - 1]), axes[modes.length - 1], modes[modes.length - 1]);
  for (let i = modes.length - 2; i >= 0; i--) {
    spectrum = mapParts(fft.fft(spectrum, axes[i]), (part) => bothEnds(part, axes[i], modes[i]));
  }
  return spectrum;
}

/** The real fields on a grid of `points` whose lowest coefficients are given as {@link lowSpectrum} gives them. */
export function fromLowSpectrum(spectrum: Complex, modes: readonly number[], points: readonly number[]): Tensor {
  requireObject("fromLowSpectrum", "spectrum", spectrum, "{ re, im }");
  requireObject("fromLowSpectrum", "modes", modes, "an array of numbers");
  requireObject("fromLowSpectrum", "points", points, "an array of numbers");
  const axes = lastAxes(spectrum.re.rank, modes.length);
  let x = spectrum;
  for (let i = 0; i < modes.length - 1; i++) {
    x = fft.ifft(
      mapParts(x, (part) => spread(part, axes[i], modes[i], points[i])),
      axes[i],
    );
  }
  return fft.irfft(x, { axis: axes[modes.length - 1], n: points[modes.length - 1] });
}

/** Coefficients on fewer modes as coefficients on more, which are 0 where the few have none. */
export function extendModes(spectrum: Complex, from: readonly number[], to: readonly number[]): Complex {
  requireObject("extendModes", "spectrum", spectrum, "{ re, im }");
  requireObject("extendModes", "from", from, "an array of numbers");
  requireObject("extendModes", "to", to, "an array of numbers");
  const axes = lastAxes(spectrum.re.rank, from.length);
  const last = from.length - 1;
  return mapParts(spectrum, (part) => {
    let y = part;
    for (let i = 0; i < last; i++) if (to[i] > from[i]) y = spread(y, axes[i], from[i], 2 * to[i]);
    return to[last] > from[last] ? padEnd(y, axes[last], to[last] - from[last]) : y;
  });
}

function lowest(spectrum: Complex, axis: number, m: number): Complex {
  if (spectrum.re.shape[axis] === m) return spectrum;
  return mapParts(spectrum, (part) => slice(part, [...new Array<null>(axis).fill(null), { stop: m }]));
}

function bothEnds(x: Tensor, axis: number, m: number): Tensor {
  const n = x.shape[axis];
  if (n === 2 * m) return x;
  const lead = new Array<null>(axis).fill(null);
  return concatenate([slice(x, [...lead, { stop: m }]), slice(x, [...lead, { start: n - m }])], axis);
}

/** Puts zeros between the m first and the m last, so that there are n. */
function spread(x: Tensor, axis: number, m: number, n: number): Tensor {
  if (n === 2 * m) return x;
  const lead = new Array<null>(axis).fill(null);
  const first = padEnd(slice(x, [...lead, { stop: m }]), axis, n - 2 * m);
  return concatenate([first, slice(x, [...lead, { start: m }])], axis);
}

function padEnd(x: Tensor, axis: number, count: number): Tensor {
  return pad(
    x,
    x.shape.map((_, i): [number, number] => [0, i === axis ? count : 0]),
  );
}
