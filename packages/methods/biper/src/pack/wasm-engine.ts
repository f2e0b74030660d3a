import type { Geometry } from "../geometry.js";
import { type PackedWeights, wordsFor } from "./bits.js";
import type { ConvolutionEngine, ConvolutionJob } from "./convolution-job.js";
import type { PadValue } from "./packed-part.js";
import { classBases, paddingClasses } from "./padding-classes.js";
import { wasmBase64 } from "./wasm-bytes.js";

/** The kernels and their memory; see assembly/ for the meaning of the arguments. */
interface Kernels {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  packSigns(
    x: number,
    channels: number,
    height: number,
    width: number,
    groups: number,
    to: number,
    rowBytes: number,
  ): void;
  xnorConvolution(
    a: number,
    rowBytes: number,
    pixelBytes: number,
    words: number,
    kernelHeight: number,
    kernelWidth: number,
    rowDilation: number,
    columnDilation: number,
    places: number,
    pixels: number,
    w: number,
    channels: number,
    base: number,
    scale: number,
    shift: number,
    scratch: number,
    out: number,
    mode: number,
  ): void;
}

const PAGE = 65536;

function moduleBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(wasmBase64), (character) => character.charCodeAt(0));
}

/** What depends on weights, geometry and extents only: kept, since a network meets the same again and again. */
interface Plan {
  /** Per group, weights in the order of the kernel: `[blocks of four, taps * words, 4]`. */
  readonly blocks: readonly Uint32Array[];
  /** Per pixel of the result, byte offsets of its window and of its class. */
  readonly places: Int32Array;
  /** Per group `[classes, four * blocks]`. */
  readonly bases: readonly Int32Array[];
}

const plans = new WeakMap<PackedWeights, Map<string, Plan>>();

/** Outputs of a group, rounded up to whole blocks of four. */
function padded(count: number): number {
  return (count + 3) & ~3;
}

function interleaved(weights: PackedWeights, first: number, outputs: number): Uint32Array {
  const depth = weights.words.length / weights.shape[0];
  const out = new Uint32Array(padded(outputs) * depth);
  for (let o = 0; o < outputs; o++) {
    const to = (o >> 2) * depth * 4 + (o & 3);
    const from = (first + o) * depth;
    for (let k = 0; k < depth; k++) out[to + 4 * k] = weights.words[from + k];
  }
  return out;
}

function makePlan(
  weights: PackedWeights,
  g: Geometry,
  size: readonly number[],
  extents: readonly number[],
  padValue: PadValue,
): Plan {
  const [height, width] = size;
  const [rows, columns] = extents;
  const perGroup = weights.shape[0] / g.groups;
  const stride = padded(perGroup);
  const pixelBytes = g.groups * wordsFor(weights.shape[1]) * 4;
  const rowBytes = (width + 2 * g.padding[1]) * pixelBytes;
  const classes = paddingClasses(g, height, width, rows, columns);
  const places = new Int32Array(rows * columns * 2);
  for (let i = 0, p = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, p++) {
      places[2 * p] = i * g.strides[0] * rowBytes + j * g.strides[1] * pixelBytes;
      places[2 * p + 1] = classes.ofPixel[p] * stride * 4;
    }
  }
  const groups = Array.from({ length: g.groups }, (_, k) => k * perGroup);
  return {
    blocks: groups.map((first) => interleaved(weights, first, perGroup)),
    places,
    bases: groups.map((first) => classBases(classes, weights, first, perGroup, stride, padValue)),
  };
}

function planFor(job: ConvolutionJob): Plan {
  const { weights, geometry, extents, padValue } = job;
  const [, , height, width] = job.input.shape;
  const known = plans.get(weights) ?? new Map<string, Plan>();
  plans.set(weights, known);
  const { strides, padding, dilation, groups } = geometry;
  const key = [height, width, ...strides, ...padding, ...dilation, groups, padValue].join();
  const found = known.get(key) ?? makePlan(weights, geometry, [height, width], extents, padValue);
  known.set(key, found);
  return found;
}

/** Hands out places in the memory, one after the other. */
class Layout {
  constructor(private next: number) {}

  take(bytes: number): number {
    const at = this.next;
    this.next = (at + bytes + 63) & ~63;
    return at;
  }

  get end(): number {
    return this.next;
  }
}

/** Words of +1 for the channels that exist: what padding of +1 looks like. */
function fillWithOnes(words: Uint32Array, channels: number): void {
  const count = wordsFor(channels);
  for (let i = 0; i < words.length; i++) {
    const bits = Math.min(32, channels - 32 * (i % count));
    words[i] = bits === 32 ? 0xffffffff : 2 ** bits - 1;
  }
}

/**
 * Convolutions by the WebAssembly kernels.
 * @throws WebAssembly.CompileError where SIMD is missing or the page forbids compiling.
 */
export function wasmEngine(): ConvolutionEngine {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()));
  const kernels = instance.exports as unknown as Kernels;
  return (job) => run(kernels, job);
}

function run(kernels: Kernels, job: ConvolutionJob): Float32Array | Int32Array {
  const { input, weights, geometry, extents, padValue, finish } = job;
  const { kernel, padding, dilation, groups } = geometry;
  const [batch, channels, height, width] = input.shape;
  const [outputs, perInput] = weights.shape;
  const words = wordsFor(perInput);
  const perGroup = outputs / groups;
  const pixels = extents[0] * extents[1];
  const plan = planFor(job);
  const pixelBytes = groups * words * 4;
  const rowBytes = (width + 2 * padding[1]) * pixelBytes;
  const paddedBytes = (height + 2 * padding[0]) * rowBytes;
  const layout = new Layout(kernels.heapBase());
  const x = layout.take("words" in input ? 0 : channels * height * width * 4);
  const a = layout.take(paddedBytes);
  const places = layout.take(plan.places.byteLength);
  const w = plan.blocks.map((block) => layout.take(block.byteLength));
  const bases = plan.bases.map((base) => layout.take(base.byteLength));
  const scale = layout.take(groups * padded(perGroup) * 4);
  const shift = layout.take(groups * padded(perGroup) * 4);
  const scratch = layout.take(kernel[0] * kernel[1] * words * 16);
  const out = layout.take(outputs * pixels * 4);
  const missing = layout.end - kernels.memory.buffer.byteLength;
  if (missing > 0) kernels.memory.grow(Math.ceil(missing / PAGE));
  const { buffer } = kernels.memory;
  new Int32Array(buffer, places, plan.places.length).set(plan.places);
  plan.blocks.forEach((block, k) => new Uint32Array(buffer, w[k], block.length).set(block));
  plan.bases.forEach((base, k) => new Int32Array(buffer, bases[k], base.length).set(base));
  const scales = new Float32Array(buffer, scale, groups * padded(perGroup));
  const shifts = new Float32Array(buffer, shift, groups * padded(perGroup));
  if (finish !== null) {
    for (let o = 0; o < outputs; o++) {
      const at = Math.floor(o / perGroup) * padded(perGroup) + (o % perGroup);
      scales[at] = finish.scale[o];
      shifts[at] = finish.shift[o];
    }
  }
  const field = new Uint32Array(buffer, a, paddedBytes / 4);
  if (padValue === 1) fillWithOnes(field, perInput);
  else field.fill(0);
  const corner = padding[0] * rowBytes + padding[1] * pixelBytes;
  const mode = (finish === null ? 0 : 1) | (finish?.add === undefined ? 0 : 2) | (finish?.clamp ? 4 : 0);
  const result =
    finish === null ? new Int32Array(batch * outputs * pixels) : new Float32Array(batch * outputs * pixels);
  const produced =
    finish === null ? new Int32Array(buffer, out, outputs * pixels) : new Float32Array(buffer, out, outputs * pixels);
  for (let n = 0; n < batch; n++) {
    if ("words" in input) {
      const line = (width * pixelBytes) / 4;
      for (let i = 0; i < height; i++) {
        const from = (n * height + i) * line;
        field.set(input.words.subarray(from, from + line), (corner + i * rowBytes) / 4);
      }
    } else {
      const size = channels * height * width;
      new Float32Array(buffer, x, size).set(input.values.subarray(n * size, (n + 1) * size));
      kernels.packSigns(x, channels, height, width, groups, a + corner, rowBytes);
    }
    if (finish?.add !== undefined) produced.set(finish.add.subarray(n * produced.length, (n + 1) * produced.length));
    for (let g = 0; g < groups; g++) {
      kernels.xnorConvolution(
        a + g * words * 4,
        rowBytes,
        pixelBytes,
        words,
        kernel[0],
        kernel[1],
        dilation[0],
        dilation[1],
        places,
        pixels,
        w[g],
        perGroup,
        bases[g],
        scale + g * padded(perGroup) * 4,
        shift + g * padded(perGroup) * 4,
        scratch,
        out + g * perGroup * pixels * 4,
        mode,
      );
    }
    result.set(produced as never, n * produced.length);
  }
  return result;
}
