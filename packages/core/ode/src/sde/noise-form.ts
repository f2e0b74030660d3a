import {
  cast,
  type DType,
  expandDims,
  isTensor,
  mul,
  requireInteger,
  reshape,
  ShapeError,
  sqrt,
  square,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";

/** How a Brownian path enters a state. */
export interface NoiseForm {
  /** Numbers of the path side by side. */
  readonly size: number;
  /** Whether every entry of the state has noise of its own. */
  readonly diagonal: boolean;
  /** Extents of the factors of a state. */
  readonly factors: readonly number[];
  /** The noise of a step, `[n]`: factors times increments. */
  readonly times: (factors: Tensor, dW: Tensor) => Tensor;
  /** How large the noise of each entry is, `[n]`. */
  readonly magnitude: (factors: Tensor) => Tensor;
}

/** @internal The form of a noise over a state of such extents. @throws ValueError, ShapeError, UnsupportedError */
export function noiseForm(
  owner: string,
  size: number,
  state: readonly number[] | undefined,
  noise: readonly number[] | undefined,
): NoiseForm {
  if (noise === undefined) return ownNoise(size);
  if (state !== undefined) return sharedNoise(owner, state, noise);
  throw new UnsupportedError(`${owner}: noise is for states of one tensor; put the parts of this one side by side`);
}

/** Noise of its own for every entry: factors are a vector like the state. */
function ownNoise(size: number): NoiseForm {
  return { size, diagonal: true, factors: [size], times: mul, magnitude: (factors) => factors };
}

/**
 * Noise that entries share: a state `[..., n]` has factors `[..., n, m]`, the path `[m]` for all rows, or `[..., m]` with
 * numbers of its own for each.
 */
function sharedNoise(owner: string, state: readonly number[], noise: readonly number[]): NoiseForm {
  if (!Array.isArray(noise) || noise.length === 0) {
    throw new ValueError(`${owner}: noise is ${String(noise)}; give the extents of the path, such as [3]`);
  }
  for (const extent of noise) requireInteger(owner, "an extent of noise", extent, 1);
  const rows = state.length === 0 ? [1] : state;
  const [lead, own] = [rows.slice(0, -1), noise.slice(0, -1)];
  if (own.length > 0 && own.join() !== lead.join()) {
    throw new ShapeError(
      `${owner}: noise has extents [${noise}] for a state [${state}]; give [m], the same for all rows, or [${[...lead, "m"]}]`,
    );
  }
  const [columns] = noise.slice(-1);
  const [size, n] = [noise, rows].map((extents) => extents.reduce((a, b) => a * b, 1));
  const factors = [...rows, columns];
  return {
    size,
    diagonal: false,
    factors,
    times: (g, dW) => reshape(sum(mul(reshape(g, factors), expandDims(reshape(dW, noise), -2)), -1), [n]),
    magnitude: (g) => reshape(sqrt(sum(square(reshape(g, factors)), -1)), [n]),
  };
}

/** @internal The factors that a diffusion gave, as they must be. @throws ShapeError */
export function checkedFactors(what: string, given: TensorLike, extents: readonly number[], dtype: DType): Tensor {
  const x = cast(isTensor(given) ? given : tensor(given, { dtype: "float64" }), dtype);
  if (x.shape.join() === extents.join()) return x;
  throw new ShapeError(`${what}: the diffusion gave shape [${x.shape}]; it must be [${extents}]`);
}
