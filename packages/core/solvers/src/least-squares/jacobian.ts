import { eye, jvp, moveAxis, reshape, type Tensor, vjp, vmap } from "@offprint/tensor-core";

/** A function of vectors along the last axis, leading axes being problems of their own: `[..., n]` to `[..., m]`. */
export type VectorFunction = (x: Tensor) => Tensor;

/**
 * @internal The values `[..., m]` and the Jacobian `[..., m, n]` of a function at `x`: by columns where there are fewer
 * variables than values, else by rows, in one batched pass.
 */
export function valueAndJacobian(f: VectorFunction, x: Tensor): { value: Tensor; jacobian: Tensor } {
  const [value, pullback] = vjp(f, x);
  const m = value.shape[value.rank - 1];
  const n = x.shape[x.rank - 1];
  if (n < m) {
    const columns = vmap((v: Tensor) => jvp(f, [x], [v])[1])(units(x));
    return { value, jacobian: moveAxis(columns, 0, -1) };
  }
  const rows = vmap((v: Tensor) => pullback(v)[0] as Tensor)(units(value));
  return { value, jacobian: moveAxis(rows, 0, -2) };
}

/** The unit vectors along the last axis of `x`, each for all problems: `[n, ..., n]`. */
function units(x: Tensor): Tensor {
  const n = x.shape[x.rank - 1];
  const leading = x.shape.slice(0, -1);
  return reshape(eye(n, n, x.dtype), [n, ...leading.map(() => 1), n]).broadcastTo([n, ...leading, n]);
}
