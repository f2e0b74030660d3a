import type { WasmRuntime } from "./runtime.js";

const DOUBLE = 8;
/** Numbers drawn at once: they stay in the first-level cache. */
const BLOCK = 1 << 11;

/**
 * Fills `out` with standard normal numbers; see `random/normal.ts`, whose numbers they are. `state` are the four words of
 * the generator, which are moved on.
 */
export function wasmNormals(
  runtime: WasmRuntime,
  state: Int32Array,
  tables: Float64Array,
  out: Float32Array | Float64Array,
): void {
  const block = Math.min(BLOCK, out.length);
  const stateBytes = 2 * DOUBLE;
  runtime.withMemory(stateBytes + (tables.length + block + 1) * DOUBLE, (kernels, base, buffer) => {
    const words = new Int32Array(buffer, base, 4);
    const tablesAt = base + stateBytes;
    const outAt = tablesAt + tables.length * DOUBLE;
    words.set(state);
    new Float64Array(buffer, tablesAt, tables.length).set(tables);
    const narrow = out instanceof Float32Array;
    const view = narrow ? new Float32Array(buffer, outAt, block) : new Float64Array(buffer, outAt, block);
    for (let from = 0; from < out.length; from += block) {
      const count = Math.min(block, out.length - from);
      kernels.normals(base, tablesAt, outAt, count);
      if (narrow) kernels.narrow(outAt, count);
      out.set(count === block ? view : view.subarray(0, count), from);
    }
    state.set(words);
  });
}
