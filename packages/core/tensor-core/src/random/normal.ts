import { wasmRuntime } from "../kernels/engine.js";
import { wasmNormals } from "../kernels/wasm/normals.js";
import { exp, log } from "./elementary.js";
import type { Source } from "./source.js";

/**
 * Ziggurat of 128 layers of equal area under exp(-x^2 / 2): Marsaglia and Tsang, "The ziggurat method for generating
 * random variables", J. Stat. Softw. 5 (2000), with a layer index that is independent of the abscissa as in Doornik,
 * "An improved ziggurat method to generate normal random samples" (2005).
 */
const LAYERS = 128;
const TAIL = 3.442619855899;
const AREA = 9.91256303526217e-3;

/** Right edges of the layers, from the tail's upwards; the last is 0. */
const edges = new Float64Array(LAYERS + 1);
/** Where a point of a layer surely lies under the curve, as a fraction of its edge. */
const inside = new Float64Array(LAYERS);

let height = exp(-0.5 * TAIL * TAIL);
edges[0] = AREA / height;
edges[1] = TAIL;
for (let i = 2; i < LAYERS; i++) {
  edges[i] = Math.sqrt(-2 * log(AREA / edges[i - 1] + height));
  height = exp(-0.5 * edges[i] * edges[i]);
}
for (let i = 0; i < LAYERS; i++) inside[i] = edges[i + 1] / edges[i];

/** One standard normal number. */
export function standardNormal(source: Source): number {
  for (;;) {
    const high = source.word();
    const low = source.word();
    const layer = low & (LAYERS - 1);
    // 32 signed and 20 further bits and a half: symmetric on (-1, 1), never 0
    const u = (high + ((low >>> 12) + 0.5) * 2 ** -20) * 2 ** -31;
    if (Math.abs(u) < inside[layer]) return u * edges[layer];
    if (layer === 0) return u < 0 ? -normalTail(source) : normalTail(source);
    const x = u * edges[layer];
    const outer = exp(-0.5 * (edges[layer] * edges[layer] - x * x));
    const inner = exp(-0.5 * (edges[layer + 1] * edges[layer + 1] - x * x));
    if (inner + source.uniform() * (outer - inner) < 1) return x;
  }
}

/** Fewer numbers than this are drawn sooner than the kernel is called. */
const FEW = 32;
/** For each layer its edge and its fraction, and the last edge. */
const tables = Float64Array.from({ length: 2 * LAYERS + 1 }, (_, i) => (i % 2 === 0 ? edges : inside)[i >> 1]);

/** Fills `out` with standard normal numbers: those that so many calls of `standardNormal` give. */
export function fillStandardNormal(source: Source, out: Float32Array | Float64Array): void {
  const runtime = out.length < FEW ? undefined : wasmRuntime();
  if (runtime === undefined) {
    for (let i = 0; i < out.length; i++) out[i] = standardNormal(source);
    return;
  }
  const state = Int32Array.from(source.state);
  wasmNormals(runtime, state, tables, out);
  source.state = [state[0], state[1], state[2], state[3]];
}

/** A normal number given that it exceeds the outermost edge (Marsaglia, 1964). */
function normalTail(source: Source): number {
  for (;;) {
    const x = source.exponential() / TAIL;
    if (2 * source.exponential() > x * x) return TAIL + x;
  }
}

/**
 * A standard normal number given that it lies in [low, high]: rejection from the proposal that suits the interval
 * (Robert, "Simulation of truncated normal variables", Stat. Comput. 5, 1995). Exact far out in a tail.
 */
export function truncatedStandardNormal(source: Source, low: number, high: number): number {
  if (low > 0) return truncatedTail(source, low, high);
  if (high < 0) return -truncatedTail(source, -high, -low);
  if (high - low < 2.5) {
    for (;;) {
      const x = low + (high - low) * source.uniform();
      if (source.uniform() < exp(-0.5 * x * x)) return x;
    }
  }
  for (;;) {
    const x = standardNormal(source);
    if (x >= low && x <= high) return x;
  }
}

/** Beyond this the tail is exponential to within rounding, and squares could overflow. */
const EXPONENTIAL_TAIL = 1e8;

/** The same for 0 < low < high <= Infinity. */
function truncatedTail(source: Source, low: number, high: number): number {
  if (low > EXPONENTIAL_TAIL) {
    const mass = high === Infinity ? 1 : 1 - exp(-low * (high - low));
    return Math.min(high, low - log(1 - source.uniform() * mass) / low);
  }
  const root = Math.sqrt(low * low + 4);
  const rate = (low + root) / 2;
  const widthForUniform = (2 / (low + root)) * exp(0.5 + (low * low - low * root) / 4);
  if (high - low < widthForUniform) {
    for (;;) {
      const x = low + (high - low) * source.uniform();
      if (source.uniform() < exp(0.5 * (low - x) * (low + x))) return x;
    }
  }
  for (;;) {
    const x = low + source.exponential() / rate;
    const gap = x - rate;
    if (x <= high && source.uniform() < exp(-0.5 * gap * gap)) return x;
  }
}
