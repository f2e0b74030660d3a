import {
  add,
  linalg,
  matmul,
  mul,
  reshape,
  slice,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import type { EqualityProblem } from "../src/index.js";

/** A control problem with its solution in closed form. */
export interface EllipticControl {
  /** f and c over (w, z), the state and the control. */
  readonly problem: EqualityProblem;
  /** Ones. */
  readonly start: Tensor;
  /** f at the solution. */
  readonly least: number;
}

/**
 * Control of Poisson's equation on an N x N grid: -Lap w = z, w close to a target, z small. Eliminating z gives
 * (I + 0.1 Lap^T Lap) w = w_d.
 */
export function ellipticControl(N: number): EllipticControl {
  const cells = N * N;
  const h = 2 / (N + 1);
  const laplacian = Array.from({ length: cells }, (_, at) => {
    const [i, j] = [Math.floor(at / N), at % N];
    const row = new Array<number>(cells).fill(0);
    row[at] = -4 / h ** 2;
    for (const [k, l] of [
      [i - 1, j],
      [i + 1, j],
      [i, j - 1],
      [i, j + 1],
    ]) {
      if (k >= 0 && k < N && l >= 0 && l < N) row[k * N + l] = 1 / h ** 2;
    }
    return row;
  });
  const a = 0.1 / Math.sqrt(15);
  const middle = (N + 1) / 2;
  const values = Array.from({ length: cells }, (_, at) => {
    const [i, j] = [Math.floor(at / N) + 1, (at % N) + 1];
    return Math.sin(4 + a * (i - middle)) + Math.cos(3 + a * (j - middle));
  });
  const [A, target] = [tensor(laplacian, { dtype: "float64" }), tensor(values, { dtype: "float64" })];
  const parts = (x: Tensor) => [slice(x, [{ start: 0, stop: cells }]), slice(x, [{ start: cells, stop: 2 * cells }])];
  const objective = (x: Tensor) => {
    const [w, z] = parts(x);
    return add(mul(0.5, sum(square(sub(w, target)))), mul(0.05, sum(square(z))));
  };
  const problem = {
    objective,
    constraints(x: Tensor) {
      const [w, z] = parts(x);
      return add(matmul(A, w), z);
    },
  };
  const unit = tensor(
    Array.from({ length: cells }, (_, i) => Array.from({ length: cells }, (_, j) => (i === j ? 1 : 0))),
    { dtype: "float64" },
  );
  const w = linalg.solve(add(unit, mul(0.1, matmul(A, A))), target);
  const best = reshape(stack([w, mul(-1, matmul(A, w))]), [2 * cells]);
  return { problem, start: tensor(new Float64Array(2 * cells).fill(1)), least: objective(best).item() };
}
