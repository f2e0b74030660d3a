export { convolve } from "./binary-convolution";
export { packSigns } from "./signs";

/** First byte that the caller may use. */
export function heapBase(): usize {
  return (__heap_base + 63) & ~63;
}
