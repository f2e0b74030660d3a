import { lanczosSync, tridiagonalEigen } from "@offprint/solvers";
import {
  checkOptions,
  matmul,
  type Rng,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  ShapeError,
  type Tensor,
  tensor,
  transpose,
  ValueError,
} from "@offprint/tensor-core";
import { productWith, type SpdMatrix } from "./linear-map.js";
import { norm, powerOfTwo } from "./vector-arithmetic.js";

/** Approximate eigenvectors of A. */
export interface RitzPairs {
  /** `[m]`, ascending. */
  readonly values: Float64Array;
  /** `[m, n]` orthonormal rows. */
  readonly vectors: Tensor;
}

/**
 * Ritz values and vectors of a Krylov space: Lanczos with full re-orthogonalisation, begun at A times a random vector.
 * @param steps dimension of the space; fewer where it is exhausted
 */
export function ritzPairs(a: SpdMatrix, n: number, steps: number, rng: Rng): RitzPairs {
  const owner = "ritzPairs";
  requireInteger(owner, "steps", steps, 1);
  requireObject(owner, "rng", rng, "an Rng");
  const apply = productWith(owner, a, n);
  const initial = new Float64Array(n);
  apply(rng.normal([n], { dtype: "float64" }).data() as Float64Array, initial);
  const unit = powerOfTwo(initial);
  const inUnits = (x: Float64Array, out: Float64Array) => {
    apply(x, out);
    for (let i = 0; i < n; i++) out[i] /= unit;
  };
  const begin = initial.map((v) => v / unit);
  if (!(norm(begin) > 0))
    throw new ValueError(`${owner}: A times a random vector has length ${norm(begin)}; give an A > 0`);
  const { basis, diagonal, offDiagonal, iterations } = lanczosSync(inUnits, n, {
    initial: begin,
    maxIterations: Math.min(steps, n),
  });
  const m = usedUp(diagonal, offDiagonal) ?? iterations;
  const { values, vectors } = tridiagonalEigen(diagonal.slice(0, m), offDiagonal.slice(0, m - 1), "all");
  const q = tensor(basis.slice(0, m * n), { shape: [m, n] });
  return {
    values: values.map((v) => v * unit),
    vectors: matmul(transpose(tensor(vectors, { shape: [m, m] })), q),
  };
}

/** Where an invariant subspace of a matrix of the size of 1 was complete: the vectors of it, without those that were begun anew. */
function usedUp(diagonal: Float64Array, offDiagonal: Float64Array): number | undefined {
  const at = offDiagonal.findIndex((beta) => beta < 1e-10);
  return at < 0 || at + 1 === diagonal.length ? undefined : at + 1;
}

/** Options of {@link ritzSamples}. */
export interface RitzSampleOptions {
  /** Number of vectors. */
  readonly samples: number;
  /** Amplitude of the low half of the spectrum. Default 9, as in the paper. */
  readonly lowGain?: number;
  /** Ritz vectors beyond the lower half that count as low. Default a twentieth of them. */
  readonly shift?: number;
  /** Ritz values below this are left out. Default 1e-8 times the largest. */
  readonly dropBelow?: number;
  /** Source of the coefficients. */
  readonly rng: Rng;
}

/**
 * Vectors to train on, of unit length: random combinations of Ritz vectors, the lower half with nine times the amplitude.
 * @returns `[samples, n]`, float32
 * @see arXiv 2205.10763, section 4.2
 */
export function ritzSamples(ritzPairs: RitzPairs, options: RitzSampleOptions): Tensor {
  requireObject("ritzSamples", "ritzPairs", ritzPairs, "RitzPairs");
  const { values, vectors } = ritzPairs;
  const owner = "ritzSamples";
  checkOptions(owner, options, ["samples", "lowGain", "shift", "dropBelow", "rng"], ["samples", "rng"]);
  const { samples, lowGain = 9, dropBelow = 1e-8 * Math.max(...values.slice(-1), 0), rng } = options;
  requireInteger(owner, "samples", samples, 1);
  requireObject(owner, "rng", rng, "an Rng");
  requirePositive(owner, "lowGain", lowGain);
  requireNonNegative(owner, "dropBelow", dropBelow);
  const kept = Array.from(values.keys()).filter((j) => values[j] >= dropBelow);
  if (kept.length === 0) {
    throw new ValueError(
      `${owner}: none of ${values.length} Ritz values is at least ${dropBelow}; give a smaller dropBelow`,
    );
  }
  const { shift = Math.floor(kept.length / 20) } = options;
  requireInteger(owner, "shift", shift, 0);
  const coefficients = new Float64Array(samples * values.length);
  const drawn = rng.normal([samples, kept.length], { dtype: "float64" }).data();
  for (let s = 0; s < samples; s++) {
    kept.forEach((j, place) => {
      const gain = place < kept.length / 2 + shift ? lowGain : 1;
      coefficients[s * values.length + j] = gain * drawn[s * kept.length + place];
    });
  }
  return unitRows(matmul(tensor(coefficients, { shape: [samples, values.length] }), vectors));
}

/** Rows divided by their lengths, in float32. @throws ValueError for a row that has no finite length > 0. */
export function unitRows(x: Tensor): Tensor {
  requireObject("unitRows", "x", x, "a tensor");
  if (x.rank !== 2) throw new ShapeError(`unitRows: x has shape [${x.shape}]; it must be [rows, n]`);
  const [rows, n] = x.shape;
  const values = x.data();
  const out = new Float32Array(rows * n);
  for (let r = 0; r < rows; r++) {
    const row = Float64Array.from(values.slice(r * n, (r + 1) * n));
    const unit = powerOfTwo(row);
    const scaled = row.map((v) => v / unit);
    const length = norm(scaled);
    if (!(length > 0 && length < Infinity)) {
      throw new ValueError(
        `unitRows: row ${r} has length ${length * unit}; leave out rows of zeros, and what is not finite`,
      );
    }
    out.set(
      scaled.map((v) => v / length),
      r * n,
    );
  }
  return tensor(out, { shape: [rows, n] });
}
