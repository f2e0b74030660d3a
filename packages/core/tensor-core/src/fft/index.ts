export { type FrequencyOptions, fftfreq, fftshift, ifftshift, rfftfreq } from "./frequencies.js";
export {
  type Complex,
  type ComplexLike,
  type FftNorm,
  type FftnOptions,
  type FftOptions,
  fft,
  fft2,
  fftn,
  ifft,
  ifft2,
  ifftn,
  irfft,
  irfftn,
  rfft,
  rfftn,
} from "./transforms.js";
