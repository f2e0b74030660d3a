import { raveling } from "@offprint/solvers";
import {
  add,
  concatenate,
  eye,
  isNaN,
  jvp,
  matmul,
  reshape,
  type Tensor,
  tree,
  vmap,
  where,
  zeros,
} from "@offprint/tensor-core";
import { makeSystem, type System } from "../system.js";
import { type Cotangents, type Gradients, type Problem, runForward, type Times } from "./trajectory.js";

/** How a solution changes with the entries of the first state and of the parameters, one after the other. */
export interface Sensitivities {
  /** Of the last state, `[entries, n]`. */
  readonly last: Tensor;
  /** Of the saved states, `[m, entries, n]`; 0 of those that were not met. */
  readonly saved: Tensor;
}

/** The parameters as one vector, and back; nothing where there are none. */
function entriesOf<P>(parameters: P): { vector: Tensor | null; size: number; unravel: (v: Tensor) => P } {
  if (tree.leaves(parameters).length === 0) return { vector: null, size: 0, unravel: () => parameters };
  const { size, ravel, unravel } = raveling("integrate", parameters);
  return { vector: ravel(parameters), size, unravel };
}

/**
 * Solves the equation together with `s' = df/dy s + df/dp`, one `s` for each entry of the first state and of the parameters.
 * Errors are those of the state alone, so that the steps are those of the plain solve, and `s` is the derivative of just these
 * steps: what the discrete adjoint gives from behind.
 * @see Dickinson, Gelinas, J. Comput. Phys. 21 (1976) 123.
 */
export function forwardSensitivities<P>(problem: Problem<P>, y: Tensor, parameters: P, times: Times): Sensitivities {
  const n = y.size;
  const entries = entriesOf(parameters);
  const count = n + entries.size;
  const directions = eye(entries.size, entries.size, y.dtype);
  const augmented = (p: P): System => {
    const plain = problem.system(p);
    const system = makeSystem({ size: n * (1 + count), dtype: y.dtype }, (t, v) => {
      const rows = reshape(v, [1 + count, n]);
      const state = rows.slice([0]);
      const among = rows.slice([{ start: 1 }]);
      const byState = (s: Tensor) => jvp((x: Tensor) => plain.rate(t, x), [state], [s])[1];
      const parts = [reshape(plain.rate(t, state), [1, n]), vmap(byState)(among)];
      const { vector, unravel } = entriesOf(p);
      if (vector !== null) {
        const rate = (x: Tensor) => problem.system(unravel(x)).rate(t, state);
        const byParameter = vmap((d: Tensor) => jvp(rate, [vector], [d.cast(vector.dtype)])[1])(directions);
        parts[1] = add(parts[1], concatenate([zeros([n, n], y.dtype), byParameter]));
      }
      return reshape(concatenate(parts), [n * (1 + count)]);
    });
    return { ...system, norm: (x) => plain.norm(x.slice([{ stop: n }])) };
  };
  const { absolute, relative } = problem.tolerances;
  const spread = absolute.rank === 0 ? absolute : concatenate([absolute, new Float64Array(n * count).fill(1)]);
  const wide: Problem<P> = {
    ...problem,
    system: augmented,
    tolerances: { relative, absolute: spread.cast(y.dtype) },
    keeping: { states: 0, basis: false, rates: false, control: false },
    fold: (gathered) => gathered,
  };
  const start = concatenate([reshape(y, [1, n]), eye(n, n, y.dtype), zeros([entries.size, n], y.dtype)]);
  const { last, saved } = runForward(wide, reshape(start, [n * (1 + count)]), parameters, times, null);
  const rows = reshape(saved, [saved.shape[0], 1 + count, n]);
  const unmet = isNaN(rows.slice([null, { stop: 1 }]));
  return {
    last: reshape(last, [1 + count, n]).slice([{ start: 1 }]),
    saved: where(unmet, 0, rows.slice([null, { start: 1 }])),
  };
}

/** Gradients from sensitivities: linear in the gradients by the outputs, so that they can be transposed, as `jvp` does. */
export function forwardGradient<P>(
  sensitivities: Sensitivities,
  y: Tensor,
  parameters: P,
  { last, saved }: Pick<Cotangents, "last" | "saved">,
): Gradients<P> {
  const [count, n] = sensitivities.last.shape;
  const entries = entriesOf(parameters);
  const byLast = matmul(sensitivities.last, last);
  const [times] = saved.shape;
  const rows = reshape(sensitivities.saved.transpose([1, 0, 2]), [count, times * n]);
  const slopes = times === 0 ? byLast : add(byLast, matmul(rows, reshape(saved, [times * n])));
  return {
    state: slopes.slice([{ stop: y.size }]),
    parameters: entries.size === 0 ? parameters : entries.unravel(slopes.slice([{ start: y.size }])),
  };
}
