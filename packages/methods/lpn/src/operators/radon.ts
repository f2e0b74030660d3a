import {
  add,
  checkOptions,
  fft,
  mul,
  requireInteger,
  reshape,
  type Tensor,
  take,
  tensor,
  vjp,
  zeros,
} from "@offprint/tensor-core";
import { batchOf } from "../batch.js";
import type { Measurement } from "../measurement.js";

/** Settings of {@link radon}. */
export interface RadonOptions {
  /** Height and width of the square images. */
  readonly size: number;
  /** Number of directions, evenly over half a turn. */
  readonly angles: number;
  /** Detectors, one pixel apart. Default as many as the diagonal has. */
  readonly detectors?: number;
}

/** Parallel-beam tomography. */
export interface Radon extends Measurement {
  /** Filtered back-projection with the ramp filter: a first image `[batch, size, size]` of sinograms. */
  filteredBackprojection(y: Tensor): Tensor;
}

/**
 * The Radon transform of images `[size, size]` by parallel beams: a sinogram `[angles, detectors]`. A pixel is shared between
 * the two detectors next to its projection, linearly, and the adjoint is exact.
 * @throws ValueError
 */
export function radon(options: RadonOptions): Radon {
  const owner = "radon";
  checkOptions(owner, options, ["size", "angles", "detectors"], ["size", "angles"]);
  const { size, angles, detectors = Math.ceil(size * Math.SQRT2) + 2 } = options;
  requireInteger(owner, "size", size, 1);
  requireInteger(owner, "angles", angles, 1);
  requireInteger(owner, "detectors", detectors, 2);
  const [input, output] = [
    [size, size],
    [angles, detectors],
  ];
  const { place, weight } = projections(size, angles, detectors);
  const above = add(place, 1);
  const share = tensor(
    weight.data().map((w) => (w < 0 ? 0 : 1 - w)),
    { shape: weight.shape, dtype: "float64" },
  );
  const rest = weight.maximum(0);
  const adjoint = (y: Tensor) => {
    const seen = batchOf(owner, output, y);
    const rays = reshape(seen, [seen.shape[0], angles * detectors]);
    const at = (where: Tensor, part: Tensor) => mul(take(rays, where, 1), part.cast(rays.dtype));
    const pixels = add(at(place, share), at(above, rest));
    return reshape(pixels.sum(1), [seen.shape[0], size, size]);
  };
  const apply = (x: Tensor) => {
    const images = batchOf(owner, input, x);
    const [, spread] = vjp(adjoint, zeros([images.shape[0], ...output], images.dtype));
    return spread(images)[0] as Tensor;
  };
  return {
    input,
    output,
    apply,
    adjoint,
    filteredBackprojection: (y) => mul(adjoint(ramp(batchOf(owner, output, y))), Math.PI / angles),
  };
}

/** Where pixels fall: the index of the detector below, `[angles, pixels]`, and the part of the one above; -1 outside. */
function projections(size: number, angles: number, detectors: number) {
  const middle = (size - 1) / 2;
  const place = new Int32Array(angles * size * size);
  const weight = new Float64Array(place.length);
  let k = 0;
  for (let a = 0; a < angles; a++) {
    const [cos, sin] = [Math.cos((a * Math.PI) / angles), Math.sin((a * Math.PI) / angles)];
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++, k++) {
        const at = (column - middle) * cos + (row - middle) * sin + (detectors - 1) / 2;
        const below = Math.floor(at);
        const inside = below >= 0 && below < detectors - 1;
        place[k] = a * detectors + (inside ? below : 0);
        weight[k] = inside ? at - below : -1;
      }
    }
  }
  const shape = [angles, size * size];
  return {
    place: tensor(place, { shape }),
    weight: tensor(weight, { shape, dtype: "float64" }),
  };
}

/** The ramp filter along the detectors, with room against wrapping around (Ram-Lak, from its values in space). */
function ramp(y: Tensor): Tensor {
  const detectors = y.shape[2];
  const n = 2 ** Math.ceil(Math.log2(2 * detectors));
  const kernel = Float64Array.from({ length: n }, (_, k) => {
    const distance = Math.min(k, n - k);
    if (distance === 0) return 0.25;
    return distance % 2 === 0 ? 0 : -1 / (Math.PI * distance) ** 2;
  });
  const { re } = fft.rfft(tensor(kernel, { dtype: "float64" }));
  const spectrum = fft.rfft(y, { n });
  const filtered = fft.irfft({ re: mul(spectrum.re, re), im: mul(spectrum.im, re) }, { n });
  return filtered.slice([null, null, { stop: detectors }]).cast(y.dtype);
}
