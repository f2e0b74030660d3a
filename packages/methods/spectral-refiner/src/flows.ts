import {
  coordinates,
  gaussianRandomField,
  type NavierStokes,
  navierStokes,
  type SimulateOptions,
  simulate,
  type Torus,
  torus,
} from "@offprint/spectral";
import {
  checkOptions,
  fft,
  mul,
  type Rng,
  requireInteger,
  requireObject,
  requirePositive,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** A family of flows: the equation and how a flow begins. */
export interface FlowFamily {
  /** The equation. */
  readonly system: NavierStokes;
  /** Draws the vorticity of `batch` flows at their beginning, `[batch, n, n]`. */
  draw(rng: Rng, batch: number): Tensor;
}

/** Options of {@link forcedFlows} and {@link decayingFlows}. */
export interface FlowFamilyOptions {
  /** Points along an axis, even. */
  readonly points: number;
  /** Side of the square. Default 1, of decaying flows 2 pi. */
  readonly length?: number;
  /** nu, > 0. Default 1e-3. */
  readonly viscosity?: number;
}

function planeOf(owner: string, { points, length }: FlowFamilyOptions, usual: number): Torus {
  requireInteger(owner, "points", points, 4);
  if (points % 2 !== 0) throw new ValueError(`${owner}: points is ${points}; it must be even`);
  return torus({ points: [points, points], length: length ?? usual });
}

/**
 * The flows of Fourier neural operators (Li et al., ICLR 2021): begun as a Gaussian random field and forced by
 * 0.1 (sin + cos)(2 pi (x + y) / length).
 */
export function forcedFlows(options: FlowFamilyOptions): FlowFamily {
  checkOptions("forcedFlows", options, ["points", "length", "viscosity"], ["points"]);
  const grid = planeOf("forcedFlows", options, 1);
  const { viscosity = 1e-3 } = options;
  const phase = coordinates(grid, 0)
    .add(coordinates(grid, 1))
    .mul((2 * Math.PI) / grid.length[0]);
  const forcing = phase.sin().add(phase.cos()).mul(0.1);
  return {
    system: navierStokes(grid, { viscosity, forcing }),
    draw: (rng, batch) => gaussianRandomField(grid, rng, { batch, alpha: 2.5, tau: 7 }),
  };
}

/**
 * McWilliams' decaying turbulence (J. Fluid Mech. 146, 1984): a stream function of white noise times
 * 1 / (k (1 + (k / peak)^4)), of energy one, without a force.
 */
export function decayingFlows(options: FlowFamilyOptions & { readonly peak?: number }): FlowFamily {
  checkOptions("decayingFlows", options, ["points", "length", "viscosity", "peak"], ["points"]);
  const grid = planeOf("decayingFlows", options, 2 * Math.PI);
  const { viscosity = 1e-3, peak = 4 } = options;
  requirePositive("decayingFlows", "peak", peak);
  const n = options.points;
  const frequency = (i: number) => (2 * Math.PI * (i < n / 2 ? i : i - n)) / grid.length[0];
  const k = Float64Array.from({ length: n * n }, (_, i) => Math.hypot(frequency(Math.floor(i / n)), frequency(i % n)));
  const amplitude = tensor(
    k.map((each) => (each === 0 ? 0 : 1 / (each * (1 + (each / peak) ** 4)))),
    { shape: [n, n] },
  );
  const waves = tensor(k, { shape: [n, n] });
  return {
    system: navierStokes(grid, { viscosity }),
    draw(rng, batch) {
      const noise = fft.fft2(rng.normal([batch, n, n], { dtype: "float64" }));
      const psi = { re: mul(noise.re, amplitude), im: mul(noise.im, amplitude) };
      const energy = psi.re
        .square()
        .add(psi.im.square())
        .mul(waves.square())
        .sum([1, 2])
        .mul(2 / n ** 4);
      const size = energy.sqrt().reshape([batch, 1, 1]);
      const [re, im] = [psi.re, psi.im].map((part) => part.mul(waves.square()).div(size));
      return fft.ifft2({ re, im }).re;
    },
  };
}

/** The vortices 2 kappa cos(kappa x) cos(kappa y) e^(-2 nu kappa^2 t), an exact solution without a force, `[n, n]`. */
export function taylorGreen(grid: Torus, time: number, viscosity: number): Tensor {
  requireObject("taylorGreen", "grid", grid, "a Torus");
  const kappa = (2 * Math.PI) / grid.length[0];
  const waves = [0, 1].map((axis) => coordinates(grid, axis).mul(kappa).cos());
  return waves[0].mul(waves[1]).mul(2 * kappa * Math.exp(-2 * viscosity * kappa ** 2 * time));
}

/** Options of {@link generateFlows}. */
export interface GenerateOptions extends SimulateOptions {
  /** Flows, >= 1. */
  readonly count: number;
  /** Source of the beginnings. */
  readonly rng: Rng;
}

/**
 * Draws flows of a family and runs them: `frames` is `[count, frames, n, n]`. The options are those of `simulate` of
 * `@offprint/spectral`.
 */
export async function generateFlows(family: FlowFamily, options: GenerateOptions): ReturnType<typeof simulate> {
  requireObject("generateFlows", "family", family, "a FlowFamily");
  requireObject("generateFlows", "options", options, "{ count, rng, stepSize, frames }");
  const { count, rng, ...run } = options;
  requireInteger("generateFlows", "count", count, 1);
  return simulate(family.system, family.draw(rng, count), run);
}
