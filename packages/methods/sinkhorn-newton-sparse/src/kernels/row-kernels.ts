import { wasmBase64 } from "./wasm-bytes.js";

/** `auto` takes WebAssembly SIMD where it loads, else plain JavaScript. */
export type RowKernelMode = "auto" | "js" | "wasm";

/**
 * Arrays of one transport problem and the loops over their rows. Rows are `stride` long, a multiple of four: what lies
 * behind the last of the `m` columns is -Infinity in `exponents` and stays 0 elsewhere.
 */
export interface RowKernels {
  /** Which implementation runs. */
  readonly mode: "js" | "wasm";
  /** Elements from one row to the next. */
  readonly stride: number;
  /** `[n, stride]` exponents of the plan at the base potentials. */
  readonly exponents: Float64Array;
  /** `[n + 1, stride]`: the plan, and one more row to work in. */
  readonly plan: Float64Array;
  /** `[stride]` potentials of the columns, relative to the base. */
  readonly v: Float64Array;
  /** `[stride]` sums over the rows. */
  readonly columns: Float64Array;
  /** plan[out, j] = exp(exponents[row, j] + u + v[j]), or 0 where that exponent is not above `cut` >= -690; returns the sum. */
  exponentials(row: number, u: number, out: number, cut: number): number;
  /** columns[j] += factor plan[row, j] */
  addRow(row: number, factor: number): void;
  /** sum_j plan[row, j] v[j] */
  dotRow(row: number): number;
}

interface Exports {
  heapBase(): number;
  exponentials(g: number, u: number, v: number, out: number, n: number, cut: number): number;
  addScaled(x: number, factor: number, y: number, n: number): void;
  dot(x: number, y: number, n: number): number;
}

const DOUBLE = 8;
const PAGE = 65536;
/** Least `cut`: the exponential is 0 up to here and infinite above its opposite. */
export const LEAST_CUT = -690;

let compiled: WebAssembly.Module | undefined;
let refused = false;

function wasmModule(): WebAssembly.Module | undefined {
  if (compiled !== undefined || refused) return compiled;
  try {
    compiled = new WebAssembly.Module(Uint8Array.from(atob(wasmBase64), (letter) => letter.charCodeAt(0)));
  } catch {
    // No SIMD here, or a page whose policy forbids compiling: plain JavaScript.
    refused = true;
  }
  return compiled;
}

/** The kernels of an `[n, m]` problem, in memory of their own. */
export function rowKernels(n: number, m: number, mode: RowKernelMode = "auto"): RowKernels {
  const stride = 4 * Math.ceil(m / 4);
  const module = mode === "js" ? undefined : wasmModule();
  return module === undefined ? javaScriptRows(n, stride) : webAssemblyRows(module, n, stride);
}

function webAssemblyRows(module: WebAssembly.Module, n: number, stride: number): RowKernels {
  const size = n * stride;
  // Behind a page with the tables of the exponential. To grow would detach the buffer, which slows loops over typed arrays.
  const pages = 1 + Math.ceil(((2 * size + 3 * stride) * DOUBLE) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages });
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
  const base = kernels.heapBase();
  const plan = base + size * DOUBLE;
  const v = plan + (size + stride) * DOUBLE;
  const columns = v + stride * DOUBLE;
  const { buffer } = memory;
  const bytes = stride * DOUBLE;
  return {
    mode: "wasm",
    stride,
    exponents: new Float64Array(buffer, base, size),
    plan: new Float64Array(buffer, plan, size + stride),
    v: new Float64Array(buffer, v, stride),
    columns: new Float64Array(buffer, columns, stride),
    exponentials: (row, u, out, cut) => kernels.exponentials(base + row * bytes, u, v, plan + out * bytes, stride, cut),
    addRow: (row, factor) => kernels.addScaled(plan + row * bytes, factor, columns, stride),
    dotRow: (row) => kernels.dot(plan + row * bytes, v, stride),
  };
}

function javaScriptRows(n: number, stride: number): RowKernels {
  const exponents = new Float64Array(n * stride);
  const plan = new Float64Array((n + 1) * stride);
  const v = new Float64Array(stride);
  const columns = new Float64Array(stride);
  return {
    mode: "js",
    stride,
    exponents,
    plan,
    v,
    columns,
    exponentials(row, u, out, cut) {
      let sum = 0;
      const from = row * stride;
      const to = out * stride;
      for (let j = 0; j < stride; j++) {
        const a = exponents[from + j] + (u + v[j]);
        const e = a <= cut ? 0 : a > -LEAST_CUT ? Infinity : Math.exp(a);
        plan[to + j] = e;
        sum += e;
      }
      return sum;
    },
    addRow(row, factor) {
      const from = row * stride;
      for (let j = 0; j < stride; j++) columns[j] += factor * plan[from + j];
    },
    dotRow(row) {
      let sum = 0;
      const from = row * stride;
      for (let j = 0; j < stride; j++) sum += plan[from + j] * v[j];
      return sum;
    },
  };
}
