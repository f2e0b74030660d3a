import { wasmBase64 } from "./wasm-bytes.js";

/** Fields of `ConvolutionJob` in assembly/binary-convolution.ts, where their meaning is, in their order there: one per word. */
const fields = [
  ...(["input", "words", "pixelBytes", "rowBytes", "kernelHeight", "kernelWidth"] as const),
  ...(["tapRowBytes", "tapColumnBytes", "places", "pixels", "weights", "outputs"] as const),
  ...(["bases", "scale", "shift", "windows", "out", "mode"] as const),
];

/** One group of a convolution of one image, as the kernel takes it. */
export type KernelJob = Readonly<Record<(typeof fields)[number], number>>;

/** Bytes of a job in memory. */
export const jobBytes = 4 * fields.length;

/** Writes a job where the kernel will find it. */
export function writeJob(memory: WebAssembly.Memory, at: number, job: KernelJob): void {
  const words = new Int32Array(memory.buffer, at, fields.length);
  for (let i = 0; i < fields.length; i++) words[i] = job[fields[i]];
}

/** Bits of a job's `mode`: `scale dot + shift`, added to what is there, clamped to [-1, 1]. */
export const modes = { affine: 1, added: 2, clamped: 4 } as const;

/** The kernels and their memory. */
export interface Kernels {
  readonly memory: WebAssembly.Memory;
  /** First byte that the caller may use. */
  heapBase(): number;
  /** Packs the signs of an image `[channels, height, width]`. */
  packSigns(
    x: number,
    channels: number,
    height: number,
    width: number,
    groups: number,
    to: number,
    rowBytes: number,
  ): void;
  /** Carries out the job at an address. */
  convolve(job: number): void;
}

const PAGE = 65536;
/** Every instance has at least so much memory; pages that are not touched take no room. */
const LEAST_BYTES = 256 * PAGE;

/**
 * Compiles the kernels.
 * @throws WebAssembly.CompileError where SIMD is missing or the page forbids compiling.
 */
export function compileKernels(): WebAssembly.Module {
  return new WebAssembly.Module(Uint8Array.from(atob(wasmBase64), (character) => character.charCodeAt(0)));
}

/** The kernels with a memory of their own of at least `bytes`, which never grows. */
export function instantiate(module: WebAssembly.Module, bytes: number): Kernels {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(Math.max(bytes, LEAST_BYTES) / PAGE) });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { ...(exports as unknown as Omit<Kernels, "memory">), memory };
}
