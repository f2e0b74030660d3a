import { rowMajor, transposed as turned } from "./arrays.js";
import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsCongruence } from "./js/congruence.js";
import { matmul } from "./matmul.js";
import { wasmCongruence } from "./wasm/congruence.js";

/** Below it copying the operands costs more than the vector instructions save. */
const WASM_FROM = 8;
/** Above this order the copies of two products cost nothing beside them, and memory should not grow for both. */
const TOGETHER_UP_TO = 512;

/**
 * `out = left v left^T` for square matrices of order n, or `left^T v left` where `transposed`; all row-major, `left` from
 * `start` on. As one call it takes a fraction of the time of two products where matrices are small.
 */
export function congruence(
  left: Float64Array,
  start: number,
  transposed: boolean,
  v: Float64Array,
  n: number,
  out: Float64Array,
): void {
  const runtime = wasmRuntime();
  if (!runtime || (n < WASM_FROM && choosesBySize())) {
    jsCongruence(left, start, transposed, v, n, out);
    return;
  }
  if (n <= TOGETHER_UP_TO) {
    wasmCongruence(runtime, left, start, transposed, v, n, out);
    return;
  }
  const straight = rowMajor(left, n, start);
  const l = transposed ? turned(straight) : straight;
  const half = rowMajor(new Float64Array(n * n), n);
  matmul(n, n, n, rowMajor(v, n), turned(l), half);
  matmul(n, n, n, l, half, rowMajor(out, n));
}
