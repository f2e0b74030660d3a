import {
  abs,
  add,
  cond,
  div,
  greater,
  lessEqual,
  linalg,
  logicalAnd,
  logicalNot,
  matmul,
  mul,
  neg,
  outer,
  sqrt,
  sub,
  sum,
  type Tensor,
  tensor,
  where,
  whileLoop,
} from "@offprint/tensor-core";
import { columnScales, dampedInverse, dampedStep, leastDamping } from "../least-squares/damped-step.js";
import { valueAndJacobian } from "../least-squares/jacobian.js";
import type { IterateState, VectorIteration } from "./vector-iteration.js";

/** Sufficient decrease of `|residual|^2 / 2`, relative to its slope along Newton's direction. */
const decrease = 1e-4;
/** The shortest step that is tried. */
const shortest = 2 ** -24;

interface StuckState extends IterateState {
  /** Whether no step was found: a scalar of the dtype of x, 0 or 1. */
  readonly stuck: Tensor;
}

interface BroydenState extends StuckState {
  /** What stands for the inverse of the Jacobian, `[n, n]`. */
  readonly inverse: Tensor;
  /** Whether it is that of the Jacobian here, 0 or 1. */
  readonly fresh: Tensor;
}

/** @internal Newton's method with backtracking. */
export function newtonIteration(residual: (x: Tensor) => Tensor): VectorIteration<StuckState> {
  return {
    begin: (x) => ({ x, residual: residual(x), stuck: flag(x, 0) }),
    step({ x, residual: r }) {
      const { jacobian } = valueAndJacobian(residual, x);
      const direction = dampedStep(jacobian, r, leastDamping, columnScales(jacobian));
      const { found, ...point } = backtrack(residual, { x, residual: r }, direction);
      return { ...point, stuck: where(found, flag(x, 0), flag(x, 1)) };
    },
    stuck: ({ stuck }) => greater(stuck, 0),
  };
}

/**
 * @internal Broyden's method (1965) on the inverse of the Jacobian, with backtracking; the Jacobian is taken anew where
 * no step along its direction lowers the residual.
 */
export function broydenIteration(residual: (x: Tensor) => Tensor): VectorIteration<BroydenState> {
  const inverseAt = (x: Tensor) => dampedInverse(valueAndJacobian(residual, x).jacobian);
  return {
    begin: (x) => ({ x, residual: residual(x), inverse: inverseAt(x), fresh: flag(x, 1), stuck: flag(x, 0) }),
    step({ x, residual: r, inverse, fresh }) {
      const { found, ...point } = backtrack(residual, { x, residual: r }, neg(matmul(inverse, r)));
      const updated = () => secantUpdate(inverse, sub(point.x, x), sub(point.residual, r));
      return {
        ...point,
        inverse: cond(found, updated, () => inverseAt(x)),
        fresh: where(found, flag(x, 0), flag(x, 1)),
        stuck: where(logicalAnd(logicalNot(found), greater(fresh, 0)), flag(x, 1), flag(x, 0)),
      };
    },
    stuck: ({ stuck }) => greater(stuck, 0),
  };
}

function flag(x: Tensor, value: number): Tensor {
  return tensor(value, { dtype: x.dtype });
}

/** The inverse changed as little as is needed to send `change` to `step` (Sherman and Morrison). */
function secantUpdate(inverse: Tensor, step: Tensor, change: Tensor): Tensor {
  const length = linalg.norm(change);
  // Both in units of the change: the update is the same, and products stay in the range of numbers.
  const [taken, unit] = [step, change].map((v) => div(v, where(greater(length, 0), length, 1)));
  const sent = matmul(inverse, unit);
  const row = matmul(taken, inverse);
  const size = sum(mul(row, unit));
  const safe = greater(abs(size), mul(linalg.norm(row), 1e-14));
  const factor = where(safe, div(1, where(safe, size, 1)), 0);
  return add(inverse, mul(outer(sub(taken, sent), row), factor));
}

/**
 * The first point of steps 1, 1/2, 1/4, ... along `direction` at which the residual falls enough; the
 * start where there is none. Values that are not finite are stepped back from.
 */
function backtrack(
  residual: (x: Tensor) => Tensor,
  start: IterateState,
  direction: Tensor,
): IterateState & { found: Tensor } {
  const length = linalg.norm(start.residual);
  const at = (size: Tensor) => {
    const x = add(start.x, mul(direction, size));
    return { size, x, residual: residual(x) };
  };
  const enough = ({ size, residual: r }: ReturnType<typeof at>) =>
    lessEqual(linalg.norm(r), mul(length, sqrt(sub(1, mul(size, 2 * decrease)))));
  const last = whileLoop(
    (trial: ReturnType<typeof at>) => logicalAnd(logicalNot(enough(trial)), greater(trial.size, shortest)),
    (trial) => at(mul(trial.size, 0.5)),
    at(flag(start.x, 1)),
  );
  const found = enough(last);
  return {
    found,
    x: where(found, last.x, start.x),
    residual: where(found, last.residual, start.residual),
  };
}
