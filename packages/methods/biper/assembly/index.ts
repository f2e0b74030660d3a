/*
 * Written by hand since nothing else counts the bits of words: tensors have no such operation, and as float32 products a
 * binary convolution reads 32 times the bytes.
 */
export { convolve } from "./binary-convolution";
export { packSigns } from "./signs";

/** First byte that the caller may use. */
export function heapBase(): usize {
  return (__heap_base + 63) & ~63;
}
