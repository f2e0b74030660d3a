import { allocate, type TypedArray } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import { matmul } from "../ops/contraction.js";
import { broadcastTo, reshape, swapAxes } from "../ops/movement.js";
import { bindOne, definePrimitive, type Primitive } from "../primitive.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import { contiguousData, hostTensor } from "../tensor.js";

/** Batched matrix product `[..., m, k] x [..., k, n]` with equal leading axes. */
export const matmulP: Primitive<null> = definePrimitive<null>({
  name: "matmul",
  outputs([a, b]) {
    const rank = a.shape.length;
    const fits =
      rank >= 2 &&
      b.shape.length === rank &&
      a.shape[rank - 1] === b.shape[rank - 2] &&
      sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (!fits) {
      throw new ShapeError(
        `matmul: ${formatShape(a.shape)} and ${formatShape(b.shape)} do not multiply: the columns of the first must equal the rows of the second`,
      );
    }
    if (a.dtype !== b.dtype || (a.dtype !== "float32" && a.dtype !== "float64")) {
      throw new DTypeError(
        `matmul: dtypes ${a.dtype} and ${b.dtype}: both must be float32 or both float64; cast first`,
      );
    }
    return [{ shape: [...a.shape.slice(0, -1), b.shape[rank - 1]], dtype: a.dtype }];
  },
  host([a, b], _, [spec]) {
    const [m, n] = spec.shape.slice(-2);
    const k = a.shape[a.rank - 1];
    const x = contiguousData(a);
    const y = contiguousData(b);
    const out = allocate(spec.dtype, sizeOf(spec.shape));
    const count = sizeOf(spec.shape.slice(0, -2));
    for (let i = 0; i < count; i++) product(x, i * m * k, y, i * k * n, out, i * m * n, m, k, n);
    return [hostTensor(out, spec.shape, spec.dtype)];
  },
  vjp: ([g], { inputs: [a, b] }) => [() => matmul(g, swapAxes(b, -1, -2)), () => matmul(swapAxes(a, -1, -2), g)],
  batch([a, b], [inA, inB], _, size) {
    // One matrix for the whole batch of row vectors: a single larger product.
    if (inA && !inB && a.rank === 3) {
      const flat = bindOne(matmulP, [reshape(a, [a.shape[0] * a.shape[1], a.shape[2]]), b], null);
      return [reshape(flat, [a.shape[0], a.shape[1], b.shape[1]])];
    }
    const x = inA ? a : broadcastTo(a, [size, ...a.shape]);
    const y = inB ? b : broadcastTo(b, [size, ...b.shape]);
    return [bindOne(matmulP, [x, y], null)];
  },
});

function product(
  a: TypedArray,
  ia: number,
  b: TypedArray,
  ib: number,
  out: TypedArray,
  io: number,
  m: number,
  k: number,
  n: number,
): void {
  const line = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    line.fill(0);
    for (let p = 0; p < k; p++) {
      const x = a[ia + i * k + p];
      const row = ib + p * n;
      for (let j = 0; j < n; j++) line[j] += x * b[row + j];
    }
    out.set(line, io + i * n);
  }
}
