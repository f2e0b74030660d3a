import type { WasmRuntime } from "./runtime.js";

const DOUBLE = 8;
/** Numbers drawn at once, so that the memory stays small. */
const BLOCK = 1 << 16;

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
  runtime.withMemory(stateBytes + (tables.length + block) * DOUBLE, (kernels, base, buffer) => {
    const words = new Int32Array(buffer, base, 4);
    const tablesAt = base + stateBytes;
    const outAt = tablesAt + tables.length * DOUBLE;
    words.set(state);
    new Float64Array(buffer, tablesAt, tables.length).set(tables);
    for (let from = 0; from < out.length; from += block) {
      const count = Math.min(block, out.length - from);
      kernels.normals(base, tablesAt, outAt, count);
      out.set(new Float64Array(buffer, outAt, count), from);
    }
    state.set(words);
  });
}
