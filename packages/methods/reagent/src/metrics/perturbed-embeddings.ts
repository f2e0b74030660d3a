import { ShapeError, type Tensor, tensor } from "@offprint/tensor-core";
import { requireValues } from "../argument-checks.js";

/** `rows` copies of embeddings `[L, d]` in which whole tokens are zero where `keep` says no. */
export function keptEmbeddings(embeds: Tensor, rows: number, keep: (row: number, token: number) => boolean): Tensor {
  const [length, d] = matrixExtents(embeds);
  const x = requireValues("embed", "embeddings", embeds, [length, d]);
  const out = x instanceof Float64Array ? new Float64Array(rows * x.length) : new Float32Array(rows * x.length);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < length; i++) {
      if (keep(row, i)) out.set(x.subarray(i * d, (i + 1) * d), (row * length + i) * d);
    }
  }
  return tensor(out, { shape: [rows, length, d] });
}

/** Copies of embeddings `[L, d]` in which entry (i, j) of copy k stays where `noise[k, i, j] < keep[i]`. */
export function thinnedEmbeddings(embeds: Tensor, keep: ArrayLike<number>, noise: ArrayLike<number>): Tensor {
  const [length, d] = matrixExtents(embeds);
  const x = requireValues("embed", "embeddings", embeds, [length, d]);
  const draws = noise.length / x.length;
  const out = x instanceof Float64Array ? new Float64Array(noise.length) : new Float32Array(noise.length);
  for (let k = 0, n = 0; k < draws; k++) {
    for (let i = 0, m = 0; i < length; i++) {
      const pi = keep[i];
      for (let j = 0; j < d; j++, m++, n++) if (noise[n] < pi) out[n] = x[m];
    }
  }
  return tensor(out, { shape: [draws, length, d] });
}

function matrixExtents(embeds: Tensor): readonly [number, number] {
  if (embeds.rank !== 2) throw new ShapeError(`embed: embeddings have shape [${embeds.shape}]; they must be [L, d]`);
  return [embeds.shape[0], embeds.shape[1]];
}
