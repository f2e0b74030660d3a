import {
  add,
  fft,
  mul,
  type Rng,
  requireInteger,
  requireObject,
  reshape,
  sub,
  type Tensor,
  take,
  tensor,
} from "@offprint/tensor-core";
import { batchOf, sizeOf } from "../batch.js";
import { type Measurement, measurement } from "../measurement.js";
import { checkedRandom, type RandomMeasurementOptions } from "./image-operators.js";

/**
 * Compressed sensing by random convolution (Romberg 2009), for inputs too large for a matrix: signs are flipped at random, a
 * circular convolution with a spectrum of random phases spreads every entry, and `measurements` entries of it are kept, times
 * `sqrt(size / measurements)`.
 * @throws ValueError
 */
export function randomConvolution(rng: Rng, options: RandomMeasurementOptions): Measurement {
  requireObject("randomConvolution", "rng", rng, "a generator of random.rng(seed)");
  requireObject("randomConvolution", "options", options, "{ input, measurements }");
  const owner = "randomConvolution";
  const { input, measurements } = checkedRandom(owner, options);
  const size = sizeOf(input);
  requireInteger(owner, "measurements", measurements, 1, size);
  const signs = sub(mul(rng.randint([size], { high: 2 }), 2), 1);
  const kept = rng.permutation(size).slice([{ stop: measurements }]);
  const { re, im } = randomPhases(rng, size);
  const scale = Math.sqrt(size / measurements);
  return measurement({
    input,
    apply(x) {
      const given = batchOf(owner, input, x);
      const rows = mul(reshape(given, [given.shape[0], size]), signs.cast(given.dtype));
      const spectrum = fft.rfft(rows);
      const [a, b] = [re.cast(given.dtype), im.cast(given.dtype)];
      const turned = {
        re: sub(mul(spectrum.re, a), mul(spectrum.im, b)),
        im: add(mul(spectrum.re, b), mul(spectrum.im, a)),
      };
      return mul(take(fft.irfft(turned, { n: size }), kept, 1), scale);
    },
  });
}

/** Of modulus 1; real where the spectrum of real values is. */
function randomPhases(rng: Rng, size: number): { re: Tensor; im: Tensor } {
  const count = Math.floor(size / 2) + 1;
  const angles = Float64Array.from(rng.uniform([count], { low: 0, high: 2 * Math.PI, dtype: "float64" }).data());
  const real = (k: number) => k === 0 || (size % 2 === 0 && k === count - 1);
  const of = (part: (angle: number) => number, exact: (angle: number) => number) =>
    tensor(
      angles.map((angle, k) => (real(k) ? exact(angle) : part(angle))),
      { dtype: "float64" },
    );
  return { re: of(Math.cos, (angle) => (angle < Math.PI ? 1 : -1)), im: of(Math.sin, () => 0) };
}
