import {
  jitSync,
  matmul,
  mul,
  relu,
  special,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
} from "@offprint/tensor-core";
import type { Loss } from "./loss.js";

/** @internal A network and data as plain arrays: U `[d, m]`, a `[m]`, rows `[n, d]` with the column of ones. */
export interface NetworkArrays {
  readonly U: Float64Array;
  readonly a: Float64Array;
  readonly d: number;
  readonly m: number;
}

interface Weights {
  readonly [name: string]: Tensor;
  readonly U: Tensor;
  readonly a: Tensor;
}

/** The losses of predictions f `[n]`, summed. */
const totals: Readonly<Record<Loss, (f: Tensor, y: Tensor) => Tensor>> = {
  squared: (f, y) => mul(sum(square(sub(f, y))), 0.5),
  bce: (f, y) => sum(special.softplus(mul(mul(y, f), -2))),
  hinge: (f, y) => sum(relu(sub(1, mul(y, f)))),
};

/** The loss of a network, and its gradients, compiled. The derivative of a neuron at 0 counts as 0. */
function programsOf(loss: Loss) {
  const objective = ({ U, a }: Weights, rows: Tensor, y: Tensor) => totals[loss](matmul(relu(matmul(rows, U)), a), y);
  return {
    value: jitSync(objective),
    byWeights: jitSync(valueAndGrad(objective), { views: true }),
    byRows: jitSync(
      valueAndGrad((rows: Tensor, weights: Weights, y: Tensor) => objective(weights, rows, y)),
      { views: true },
    ),
  };
}

const programs = { squared: programsOf("squared"), bce: programsOf("bce"), hinge: programsOf("hinge") };

/** @internal Loss of the network, summed over the samples, and its gradients by U and a, or by the rows, where arrays are given for them. */
export function networkGradient(
  { U, a, d, m }: NetworkArrays,
  loss: Loss,
  rows: Float64Array,
  y: Float64Array,
  out: { readonly U: Float64Array; readonly a: Float64Array } | { readonly rows: Float64Array } | undefined,
): number {
  const { value, byWeights, byRows } = programs[loss];
  const weights = { U: tensor(U, { shape: [d, m] }), a: tensor(a) };
  const samples = tensor(rows, { shape: [y.length, d] });
  const labels = tensor(y);
  if (out === undefined) return value(weights, samples, labels).item();
  if ("rows" in out) {
    const [total, slope] = byRows(samples, weights, labels);
    out.rows.set(slope.data());
    return total.item();
  }
  const [total, slope] = byWeights(weights, samples, labels);
  out.U.set(slope.U.data());
  out.a.set(slope.a.data());
  return total.item();
}
