import { armijoSearch, gmresSync, runOptionNames } from "@offprint/solvers";
import {
  add,
  checkOptions,
  dot,
  eye,
  linalg,
  matmul,
  min,
  mul,
  neg,
  type Tensor,
  type TensorLike,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import {
  type BaselineOptions,
  type BaselineRecord,
  type BaselineResult,
  type BaselineState,
  baselineOptionNames,
} from "./baseline.js";
import { type Asked, ask, figuresOf, runBaseline } from "./baseline-run.js";
import type { Oracle } from "./oracle.js";
import type { EqualityCallbacks, EqualityProblem } from "./problem.js";

const FIRST_TAU = 0.1;
const BETA = 0.1;
const HALVINGS = 41;

/**
 * Baseline: the classical augmented Lagrangian `f + l . c + mu/2 ||c||^2`. It is minimised by Newton's method, whose
 * systems GMRES solves, to an accuracy tau; then `l += mu c`, mu grows and tau falls.
 *
 * @param problem - f and c in operations of tensors, or callbacks with derivatives.
 * @param initial - where it begins.
 * @returns Newton steps as `iterations`, updates of the multipliers as `outerIterations`.
 * @throws ShapeError; ValueError for options out of range; NonFiniteError where it diverges.
 */
export async function augmentedLagrangian(
  problem: EqualityProblem | EqualityCallbacks,
  initial: TensorLike,
  options?: BaselineOptions,
): Promise<BaselineResult<Tensor>>;
export async function augmentedLagrangian<X>(
  problem: EqualityProblem<X>,
  initial: X,
  options?: BaselineOptions,
): Promise<BaselineResult<X>>;
export async function augmentedLagrangian<X>(
  problem: EqualityProblem<X> | EqualityCallbacks,
  initial: X,
  options: BaselineOptions = {},
): Promise<BaselineResult<X>> {
  const owner = "augmentedLagrangian";
  checkOptions(owner, options, [...baselineOptionNames, ...runOptionNames]);
  return runBaseline(owner, problem, initial, options, {
    begin: () => ({ mu: 1, accuracy: FIRST_TAU }),
    step: async (oracle, state, asked, tolerance) => settled(oracle, await newtonStep(oracle, state, asked), tolerance),
  });
}

/** The multipliers l + mu c, at which the gradient of the Lagrangian is that of the augmented one. */
function lifted({ multipliers, point }: Asked, mu: number): Tensor {
  return point.constraints.size === 0 ? multipliers : add(multipliers, mul(mu, point.constraints));
}

function valueOf({ point, multipliers }: Asked, mu: number): number {
  const { objective, constraints } = point;
  if (constraints.size === 0) return objective.item();
  return objective.item() + dot(multipliers, constraints).item() + (mu / 2) * dot(constraints, constraints).item();
}

/** One Newton step on the augmented Lagrangian, at fixed multipliers. */
async function newtonStep(oracle: Oracle, state: BaselineState, asked: Asked): Promise<BaselineState> {
  const { mu } = state;
  const { n, m } = oracle;
  const multipliers = lifted(asked, mu);
  const { point } = await ask(oracle, asked.x, multipliers);
  const { dense } = await oracle.linearise(asked.x, multipliers);
  const { hessian: H, jacobian: G } = dense as NonNullable<typeof dense>;
  const full = m === 0 ? H : add(H, mul(mu, matmul(transpose(G), G)));
  const least = min(linalg.eigvalsh(full)).item();
  const shift = least > 0 ? 0 : 1 - least;
  const matrix = shift === 0 ? full : add(full, mul(shift, eye(n, n, "float64")));
  const solved = gmresSync(matrix, neg(point.gradient), { tolerance: 1e-4 });
  const dx = tensor(solved.x);
  let trials = 0;
  const at = async (step: number) => {
    trials++;
    const next = await ask(oracle, add(asked.x, mul(step, dx)), asked.multipliers);
    return { step, next, value: valueOf(next, mu) };
  };
  const start = { value: valueOf(asked, mu), slope: dot(point.gradient, dx).item() };
  const options = { decrease: BETA, maxEvaluations: HALVINGS };
  // Below the rounding of the function a decrease cannot be seen.
  const negligible = Math.abs(start.slope) < 1e-15 * Math.max(1, Math.abs(start.value));
  const found = negligible ? await at(1) : start.slope < 0 ? await armijoSearch(at, start, options) : undefined;
  const { objective, constraints, gradient, hessian } = state.evaluations;
  const counted = { objective: objective + trials, constraints: constraints + trials, gradient: gradient + 1 };
  const evaluations = { ...counted, hessian: hessian + 1 };
  if (found === undefined) return { ...state, evaluations, obstacle: "inaccurate" };
  const figures = figuresOf(found.next);
  const iteration = state.iteration + 1;
  const { step: stepSize } = found;
  const record: BaselineRecord = { iteration, ...figures, mu, innerSteps: solved.iterations, stepSize, shift };
  return { ...state, x: found.next.x, ...figures, iteration, evaluations, record };
}

/** Updates the multipliers for as long as the augmented Lagrangian is minimised accurately enough. */
async function settled(oracle: Oracle, state: BaselineState, tolerance: number): Promise<BaselineState> {
  let { multipliers, mu, accuracy, outer } = state;
  if (state.obstacle !== null) return state;
  const at = await ask(oracle, state.x, multipliers);
  const target = lifted(at, mu);
  const next = await ask(oracle, state.x, target);
  if (linalg.norm(next.point.gradient).item() <= accuracy) {
    [multipliers, mu, outer] = [target, mu * 1.5, outer + 1];
    // A tenth of what is asked for is enough: beyond, float64 has no digits to give.
    accuracy = Math.min(accuracy, Math.max(accuracy * 0.1, tolerance * 0.1));
    const figures = figuresOf(next);
    const record = { ...(state.record as BaselineRecord), ...figures, outer };
    return { ...state, ...figures, multipliers, mu, accuracy, outer, record };
  }
  return { ...state, record: { ...(state.record as BaselineRecord), outer } };
}
