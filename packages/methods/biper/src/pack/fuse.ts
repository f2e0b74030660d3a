import type { AffinePart, PackedLayer, PackedPart } from "./packed-part.js";

/** `scale x + shift` after a binary layer becomes part of it. */
function withNorm(layer: PackedLayer, { scale, shift }: AffinePart): PackedLayer {
  return {
    ...layer,
    scale: Float64Array.from(layer.scale, (alpha, o) => alpha * scale[o]),
    shift: Float64Array.from(shift, (t, o) => layer.shift[o] * scale[o] + t),
  };
}

/** The least integer dot product in [-limit, limit] for which `s dot + t >= 0` as computed, for s > 0; limit + 1 for none. */
function leastPositive(s: number, t: number, limit: number): number {
  let least = Math.min(limit + 1, Math.max(-limit, Math.ceil(-t / s)));
  // Rounding moves the place by at most one; the computed sum is monotone in the dot product.
  while (least > -limit && s * (least - 1) + t >= 0) least--;
  while (least <= limit && s * least + t < 0) least++;
  return least;
}

/**
 * Per channel the integer threshold that replaces `sgn(scale dot + shift)`: the sign of `direction (dot - threshold)` with
 * `direction` 1 or -1, or of a constant where the scale is 0. As a scale and a shift of integers, which are exact.
 * @param limit largest dot product: the number of weights of a channel
 */
export function signThreshold(
  scale: ArrayLike<number>,
  shift: ArrayLike<number>,
  limit: number,
): { scale: Float32Array; shift: Float32Array } {
  const count = scale.length;
  const result = { scale: new Float32Array(count), shift: new Float32Array(count) };
  for (let o = 0; o < count; o++) {
    const [s, t] = [scale[o], shift[o]];
    if (s === 0) result.shift[o] = t >= 0 ? 1 : -1;
    else {
      result.scale[o] = Math.sign(s);
      result.shift[o] = -leastPositive(Math.abs(s), t, limit);
    }
  }
  return result;
}

function withThreshold(layer: PackedLayer): PackedLayer {
  const [, channels, height, width] = layer.weights.shape;
  return { ...layer, ...signThreshold(layer.scale, layer.shift, channels * height * width), clamp: false };
}

/**
 * The same computation in fewer steps: normalisations and clamps go into the binary layer or the sum before them, and
 * where only the sign of a binary layer's result is used, one integer threshold per channel decides it.
 */
export function fused(parts: readonly PackedPart[]): PackedPart[] {
  const out: PackedPart[] = [];
  for (const part of parts) {
    const last = out[out.length - 1];
    if (part.kind === "affine" && last?.kind === "binary" && !last.clamp) out[out.length - 1] = withNorm(last, part);
    else if (part.kind === "hardtanh" && (last?.kind === "binary" || last?.kind === "residual")) {
      out[out.length - 1] = { ...last, clamp: true };
    } else if (part.kind === "residual") {
      out.push({ ...part, body: fused(part.body), shortcut: fused(part.shortcut) });
    } else out.push(part);
  }
  for (let i = 0; i + 1 < out.length; i++) {
    const [layer, next] = [out[i], out[i + 1]];
    const signOnly = layer.kind === "binary" && next.kind === "binary" && next.binaryActivations;
    if (signOnly && layer.binaryActivations) out[i] = withThreshold(layer);
  }
  return out.map(rounded);
}

/** In float32, as it is run and saved. */
function rounded(part: PackedPart): PackedPart {
  if (part.kind !== "binary" && part.kind !== "affine") return part;
  return { ...part, scale: Float32Array.from(part.scale), shift: Float32Array.from(part.shift) };
}
