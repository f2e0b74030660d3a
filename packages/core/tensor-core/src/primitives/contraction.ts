import { allocate } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import type { FloatArray } from "../kernels/arrays.js";
import { type MatrixBatch, matmulBatched } from "../kernels/matmul.js";
import { matmul } from "../ops/contraction.js";
import { broadcastTo, reshape, swapAxes } from "../ops/movement.js";
import { bindOne, definePrimitive, type Primitive } from "../primitive.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { HostStorage } from "../storage.js";
import { mergeAxes } from "../strided.js";
import { hostTensor, type Tensor } from "../tensor.js";

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
    const out = allocate(spec.dtype, sizeOf(spec.shape));
    if (out.length > 0 && a.shape[a.rank - 1] > 0) multiply(a, b, out as FloatArray);
    return [hostTensor(out, spec.shape, spec.dtype)];
  },
  vjp: ([g], { inputs: [a, b] }) => [() => matmul(g, swapAxes(b, -1, -2)), () => matmul(swapAxes(a, -1, -2), g)],
  batch([a, b], [inA, inB], _, size) {
    // One matrix for the whole batch of row vectors: a single larger product.
    if (inA && !inB && a.rank === 3) {
      const flat = bindOne(matmulP, [reshape(a, [a.shape[0] * a.shape[1], a.shape[2]]), b], null);
      return [reshape(flat, [a.shape[0], a.shape[1], b.shape[1]])];
    }
    // One matrix times a batch of column vectors: their rows times its transpose.
    if (!inA && inB && b.rank === 3 && b.shape[2] === 1) {
      const rows = bindOne(matmulP, [reshape(b, [size, b.shape[1]]), swapAxes(a, 0, 1)], null);
      return [reshape(rows, [size, a.shape[0], 1])];
    }
    const x = inA ? a : broadcastTo(a, [size, ...a.shape]);
    const y = inB ? b : broadcastTo(b, [size, ...b.shape]);
    return [bindOne(matmulP, [x, y], null)];
  },
});

/** The products of all pairs of matrices, read through whatever strides the operands have. */
function multiply(a: Tensor, b: Tensor, out: FloatArray): void {
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[b.rank - 1];
  const [left, right] = [a, b].map((x) => x.storage as HostStorage);
  const lead = mergeAxes(a.shape.slice(0, -2), [left.strides.slice(0, -2), right.strides.slice(0, -2)]);
  const view = ({ data, strides }: HostStorage, offset: number, batchStride: number): MatrixBatch => {
    const [rowStride, columnStride] = strides.slice(-2);
    return { data: data as FloatArray, offset, rowStride, columnStride, batchStride };
  };
  let next = 0;
  const visit = (axis: number, fromA: number, fromB: number): void => {
    const last = axis >= lead.shape.length - 1;
    const count = lead.shape[axis] ?? 1;
    const stepA = lead.strides[0][axis] ?? 0;
    const stepB = lead.strides[1][axis] ?? 0;
    if (last) {
      matmulBatched(count, m, n, k, view(left, fromA, stepA), view(right, fromB, stepB), { data: out, offset: next });
      next += count * m * n;
    } else for (let i = 0; i < count; i++) visit(axis + 1, fromA + i * stepA, fromB + i * stepB);
  };
  visit(0, left.offset, right.offset);
}
