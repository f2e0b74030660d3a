import {
  add,
  asTensor,
  div,
  exp,
  expandDims,
  isTensor,
  mul,
  requirePositive,
  sub,
  sum,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import { checkNames, type TransportProblem } from "./transport-problem.js";

/**
 * The concave dual potential f(x, y) = -(1/eta) sum_ij exp(eta (x_i + y_j - c_ij) - 1) + r.x + c.y, as a scalar that can
 * be differentiated and traced: its gradient is (r - P 1; c - P^T 1).
 *
 * @param problem cost `[n, m]`, masses `[n]` and `[m]` (uniform where left out); taken as they are
 * @param eta inverse regularisation, > 0
 * @param x `[n]` potentials of the rows, in units of cost
 * @param y `[m]` potentials of the columns
 */
export function lyapunov(problem: TransportProblem, eta: number, x: TensorLike, y: TensorLike): Tensor {
  checkNames("lyapunov", problem);
  requirePositive("lyapunov", "eta", eta);
  const [C, rowPotentials, columnPotentials] = [problem.cost, x, y].map(float64);
  const { r, c } = problem;
  const linear = (mass: TensorLike | undefined, z: Tensor) =>
    mass === undefined ? div(sum(z), z.size) : sum(mul(float64(mass), z));
  const gaps = sub(add(expandDims(rowPotentials, 1), expandDims(columnPotentials, 0)), C);
  const mass = sum(exp(sub(mul(gaps, eta), 1)));
  return sub(add(linear(r, rowPotentials), linear(c, columnPotentials)), div(mass, eta));
}

/** Plain arrays and numbers are read as float64. */
function float64(x: TensorLike): Tensor {
  return isTensor(x) ? x : asTensor(x, "float64");
}
