import { wordsFor } from "./bits.js";
import type { ConvolutionEngine, ConvolutionJob, Finish } from "./convolution-job.js";
import { type ConvolutionPlan, padded, planFor } from "./convolution-plan.js";
import { compileKernels, instantiate, jobBytes, type KernelJob, type Kernels, modes, writeJob } from "./kernel-job.js";
import type { ChannelValues } from "./packed-part.js";

/** Hands out places in the memory, one after the other. */
class Layout {
  private next: number;

  constructor(first: number) {
    this.next = first;
  }

  take(bytes: number): number {
    const at = this.next;
    this.next = (at + bytes + 63) & ~63;
    return at;
  }

  /** The first byte behind all that was handed out. */
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

/** An instance of the kernels with at least so many bytes of memory. */
type KernelsFor = (bytes: number) => Kernels;

/** Copies what is the same for all images of a job, and says per group what the kernel is to do. */
function layOut(kernelsFor: KernelsFor, job: ConvolutionJob, plan: ConvolutionPlan) {
  const { input, weights, geometry, extents, padValue, finish } = job;
  const { kernel, padding, dilation, groups } = geometry;
  const [, channels, height, width] = input.shape;
  const [outputs, perInput] = weights.shape;
  const words = wordsFor(perInput);
  const perGroup = outputs / groups;
  const pixels = extents[0] * extents[1];
  const pixelBytes = groups * words * 4;
  const rowBytes = (width + 2 * padding[1]) * pixelBytes;
  const fieldBytes = (height + 2 * padding[0]) * rowBytes;

  const layout = new Layout(kernelsFor(0).heapBase());
  const jobs = plan.blocks.map(() => layout.take(jobBytes));
  const image = layout.take("words" in input ? 0 : channels * height * width * 4);
  const field = layout.take(fieldBytes);
  const places = layout.take(plan.places.byteLength);
  const blocks = plan.blocks.map((block) => layout.take(block.byteLength));
  const bases = plan.bases.map((base) => layout.take(base.byteLength));
  const groupBytes = padded(perGroup) * 4;
  const scale = layout.take(groups * groupBytes);
  const shift = layout.take(groups * groupBytes);
  const windows = layout.take(kernel[0] * kernel[1] * words * 16);
  const out = layout.take(outputs * pixels * 4);

  const kernels = kernelsFor(layout.end);
  const { buffer } = kernels.memory;
  new Int32Array(buffer, places, plan.places.length).set(plan.places);
  plan.blocks.forEach((block, g) => new Uint32Array(buffer, blocks[g], block.length).set(block));
  plan.bases.forEach((base, g) => new Int32Array(buffer, bases[g], base.length).set(base));
  const fieldWords = new Uint32Array(buffer, field, fieldBytes / 4);
  if (padValue === 1) fillWithOnes(fieldWords, perInput);
  else fieldWords.fill(0);
  jobs.forEach((at, g) => {
    if (finish !== null) {
      const part = (values: ChannelValues) => values.subarray(g * perGroup, (g + 1) * perGroup);
      new Float32Array(buffer, scale + g * groupBytes, perGroup).set(part(finish.scale));
      new Float32Array(buffer, shift + g * groupBytes, perGroup).set(part(finish.shift));
    }
    const kernelJob: KernelJob = {
      input: field + g * words * 4,
      words,
      pixelBytes,
      rowBytes,
      kernelHeight: kernel[0],
      kernelWidth: kernel[1],
      tapRowBytes: dilation[0] * rowBytes,
      tapColumnBytes: dilation[1] * pixelBytes,
      places,
      pixels,
      weights: blocks[g],
      outputs: perGroup,
      bases: bases[g],
      scale: scale + g * groupBytes,
      shift: shift + g * groupBytes,
      windows,
      out: out + g * perGroup * pixels * 4,
      mode: modeOf(finish),
    };
    writeJob(kernels.memory, at, kernelJob);
  });
  const corner = field + padding[0] * rowBytes + padding[1] * pixelBytes;
  return { kernels, jobs, image, corner, rowBytes, rowWords: (width * pixelBytes) / 4, out };
}

function modeOf(finish: Finish | null): number {
  if (finish === null) return 0;
  return modes.affine | (finish.add === undefined ? 0 : modes.added) | (finish.clamp ? modes.clamped : 0);
}

/**
 * Convolutions by the WebAssembly kernels, the last instance of which is kept. Where a job needs more memory it gets a larger
 * one: to grow a memory would detach its buffer, which slows loops over all typed arrays of the process.
 * @throws WebAssembly.CompileError where SIMD is missing or the page forbids compiling.
 */
export function wasmEngine(): ConvolutionEngine {
  const module = compileKernels();
  let kernels = instantiate(module, 0);
  return (job) =>
    run((bytes) => {
      if (bytes > kernels.memory.buffer.byteLength) kernels = instantiate(module, bytes);
      return kernels;
    }, job);
}

function run(kernelsFor: KernelsFor, job: ConvolutionJob): Float32Array | Int32Array {
  const { input, weights, geometry, extents, finish } = job;
  const [batch, channels, height, width] = input.shape;
  const { kernels, jobs, image, corner, rowBytes, rowWords, out } = layOut(kernelsFor, job, planFor(job));
  const { buffer } = kernels.memory;
  const size = weights.shape[0] * extents[0] * extents[1];
  const Values = finish === null ? Int32Array : Float32Array;
  const result = new Values(batch * size);
  const produced = new Values(buffer, out, size);
  for (let n = 0; n < batch; n++) {
    if ("words" in input) {
      for (let i = 0; i < height; i++) {
        const from = (n * height + i) * rowWords;
        new Uint32Array(buffer, corner + i * rowBytes, rowWords).set(input.words.subarray(from, from + rowWords));
      }
    } else {
      const pixels = channels * height * width;
      new Float32Array(buffer, image, pixels).set(input.values.subarray(n * pixels, (n + 1) * pixels));
      kernels.packSigns(image, channels, height, width, geometry.groups, corner, rowBytes);
    }
    if (finish?.add !== undefined) produced.set(finish.add.subarray(n * size, (n + 1) * size));
    for (const each of jobs) kernels.convolve(each);
    result.set(produced, n * size);
  }
  return result;
}
