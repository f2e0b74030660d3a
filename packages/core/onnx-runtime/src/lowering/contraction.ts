import type { Lowering } from "./lowering.js";

export const contractionLowerings = {
  matmul: ((c, { inputs: [a, b], outputs: [y] }) => {
    if (y.shape.length === 2) {
      const p = c.matrix(a);
      const q = c.matrix(b);
      const attributes = { transA: p.transposed ? 1 : 0, transB: q.transposed ? 1 : 0 };
      c.define(y, c.emit("Gemm", [p.value, q.value], { shape: y.shape, type: y.dtype }, attributes));
    } else {
      c.define(y, c.emit("MatMul", [c.value(a), c.value(b)], { shape: y.shape, type: y.dtype }));
    }
  }) as Lowering,
};
