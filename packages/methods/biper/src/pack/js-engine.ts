import { tensor } from "@offprint/tensor-core";
import { type PackedActivations, packActivations, popcount32, wordsFor } from "./bits.js";
import type { ConvolutionEngine, ConvolutionJob } from "./convolution-job.js";

/** Signs of the input, in groups. */
export function packedInput({ input, geometry }: ConvolutionJob): PackedActivations {
  if ("words" in input) return input;
  return packActivations(tensor(input.values, { shape: input.shape }), { groups: geometry.groups });
}

/** In plain JavaScript: where WebAssembly SIMD is missing, and what its results are tested against. */
export const jsEngine: ConvolutionEngine = (job) => {
  const { weights, geometry, extents, padValue, finish } = job;
  const { kernel, strides, padding, dilation, groups } = geometry;
  const a = packedInput(job);
  const [batch, , height, width] = a.shape;
  const [outputs, channels] = weights.shape;
  const words = wordsFor(channels);
  const taps = kernel[0] * kernel[1];
  const perGroup = outputs / groups;
  const [rows, columns] = extents;
  const out =
    finish === null
      ? new Int32Array(batch * outputs * rows * columns)
      : new Float32Array(batch * outputs * rows * columns);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outputs; o++) {
      const group = Math.floor(o / perGroup);
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++, at++) {
          let dot = 0;
          for (let t = 0; t < taps; t++) {
            const y = i * strides[0] - padding[0] + Math.floor(t / kernel[1]) * dilation[0];
            const x = j * strides[1] - padding[1] + (t % kernel[1]) * dilation[1];
            const w = (o * taps + t) * words;
            const outside = y < 0 || y >= height || x < 0 || x >= width;
            if (outside && padValue === 0) continue;
            const from = (((n * height + y) * width + x) * groups + group) * words;
            let different = 0;
            for (let k = 0; k < words; k++)
              different += popcount32(weights.words[w + k] ^ (outside ? 0 : a.words[from + k]));
            dot += outside && padValue === 1 ? 2 * different - channels : channels - 2 * different;
          }
          if (finish === null) {
            out[at] = dot;
            continue;
          }
          let y = Math.fround(Math.fround(dot * finish.scale[o]) + finish.shift[o]);
          if (finish.add !== undefined) y += finish.add[at];
          out[at] = finish.clamp ? Math.min(1, Math.max(-1, y)) : y;
        }
      }
    }
  }
  return out;
};
