import {
  cast,
  isTensor,
  requireChoice,
  requirePositive,
  reshape,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import { type Controller, checkController, fixedController, piController } from "./controller.js";
import type { Tolerances } from "./initial-step.js";
import { explicitRungeKutta } from "./methods/explicit-runge-kutta.js";
import { type MethodName, methods } from "./methods/index.js";
import type { Method } from "./methods/method.js";
import type { Tableau } from "./methods/tableau.js";
import type { NormScope, System } from "./system.js";

/** How a system is stepped through: what every solve takes. */
export interface SteppingOptions {
  /**
   * The method: a name, numbers of one's own, or a method (default `"tsit5"`). `"rodas4"` is for stiff systems, `"dop853"`
   * for tight tolerances; `"euler"`, `"midpoint"` and `"rk4"` need a `stepSize`.
   */
  readonly method?: MethodName | Tableau | Method;
  /** Error that a step may make, relative to the state (default 1e-6). */
  readonly relativeTolerance?: number;
  /** Error that a step may make beside it: a number, or one for every entry of the state (default 1e-9). */
  readonly absoluteTolerance?: number | TensorLike;
  /** How steps follow errors (default `piController()`). */
  readonly controller?: Controller;
  /** Size of the first step, positive (default: found from the rates). */
  readonly initialStep?: number;
  /** All steps of this size, positive, whatever their errors; the last may be shorter. */
  readonly stepSize?: number;
  /**
   * Times that steps must meet, such as those of jumps in the right-hand side, in any order; between ends that are tensors in the
   * order in which they are met.
   */
  readonly stopAt?: ArrayLike<number>;
  /** Whether the error is that of the whole state, or of the sample (the rows of all its parts) with the largest (default `"state"`). */
  readonly norm?: NormScope;
}

/** @internal The names of {@link SteppingOptions}. */
export const steppingNames = [
  "method",
  "relativeTolerance",
  "absoluteTolerance",
  "controller",
  "initialStep",
  "stepSize",
  "stopAt",
  "norm",
] as const;

/** @internal Stepping options, checked. */
export interface Stepping {
  readonly method: Method;
  readonly controller: Controller;
  readonly relativeTolerance: number;
  readonly absoluteTolerance: number | TensorLike;
  /** Size of the first step; 0 for one that is found. */
  readonly initialStep: number;
  readonly norm: NormScope;
  /** Forced stops between the ends, in any order. */
  readonly stopAt: readonly number[];
}

/** One object, so that solves know that they need not be compiled again. */
const usual = piController();

/** @internal Checks what every solve takes. @throws ValueError */
export function checkStepping(owner: string, options: SteppingOptions): Stepping {
  const method = methodOf(owner, options.method ?? "tsit5");
  const { relativeTolerance = 1e-6, absoluteTolerance = 1e-9, initialStep, stepSize, norm = "state" } = options;
  requirePositive(owner, "relativeTolerance", relativeTolerance);
  if (typeof absoluteTolerance === "number") requirePositive(owner, "absoluteTolerance", absoluteTolerance);
  requireChoice(owner, "norm", norm, ["state", "samples"]);
  checkController(owner, options.controller);
  if (initialStep !== undefined) requirePositive(owner, "initialStep", initialStep);
  if (stepSize !== undefined) {
    requirePositive(owner, "stepSize", stepSize);
    for (const name of ["initialStep", "controller"] as const) {
      if (options[name] === undefined) continue;
      throw new ValueError(`${owner}: stepSize fixes all steps, so that ${name} says nothing; leave one of them out`);
    }
  } else if (!method.adaptive) {
    throw new ValueError(
      `${owner}: stepSize is not given, and ${method.name} has no error estimate to choose steps by`,
    );
  }
  return {
    method,
    controller: stepSize === undefined ? (options.controller ?? usual) : fixedController,
    relativeTolerance,
    absoluteTolerance,
    initialStep: stepSize ?? initialStep ?? 0,
    norm,
    stopAt: timesOf(owner, "stopAt", options.stopAt ?? []),
  };
}

/** @internal A method by its name, from its numbers, or as it is. @throws ValueError */
export function methodOf(owner: string, method: MethodName | Tableau | Method): Method {
  if (typeof method === "string") {
    requireChoice(owner, "method", method, Object.keys(methods));
    return methods[method];
  }
  if (typeof method !== "object" || method === null) {
    throw new ValueError(`${owner}: method is ${String(method)}; give a name, a tableau or a method`);
  }
  return "step" in method ? method : explicitRungeKutta(method);
}

/** @internal Throws for a Jacobian that a method does not ask for. @throws ValueError */
export function requireUseful(owner: string, { name, linearises = false }: Method, jacobian: unknown): void {
  if (jacobian === undefined) return;
  if (typeof jacobian !== "function") {
    throw new ValueError(`${owner}: jacobian is ${String(jacobian)}; give a function (t, y, parameters)`);
  }
  if (linearises) return;
  throw new ValueError(`${owner}: ${name} asks for no Jacobian; leave jacobian out, or take method "rodas4"`);
}

/** @internal Finite times. @throws ValueError */
export function timesOf(owner: string, name: string, times: ArrayLike<number>): number[] {
  if (typeof times !== "object" || times === null || typeof times.length !== "number") {
    throw new ValueError(`${owner}: ${name} is ${String(times)}; give an array of times`);
  }
  const list = Array.from(times);
  for (const t of list) {
    if (!Number.isFinite(t)) throw new ValueError(`${owner}: ${name} holds ${String(t)}; times must be finite`);
  }
  return list;
}

/** @internal The two ends of a span. @throws ValueError */
export function spanOf(owner: string, span: unknown): [number, number] {
  if (!Array.isArray(span) || span.length !== 2 || !span.every((t) => typeof t === "number" && Number.isFinite(t))) {
    throw new ValueError(`${owner}: the span is ${String(span)}; give [t0, t1], two finite times`);
  }
  return span as [number, number];
}

/** @internal Times between the ends of a span, in the order in which they are met. @throws ValueError */
export function inSpan(
  owner: string,
  name: string,
  times: readonly number[],
  [t0, t1]: readonly [number, number],
): number[] {
  const [low, high] = [Math.min(t0, t1), Math.max(t0, t1)];
  for (const t of times) {
    if (t < low || t > high) throw new ValueError(`${owner}: ${name} holds ${t}, outside the span from ${t0} to ${t1}`);
  }
  return [...times].sort((a, b) => (t1 >= t0 ? a - b : b - a));
}

/** @internal Times of states to save, in the order in which they are met. @throws ValueError for any others */
export function savesOf(owner: string, times: ArrayLike<number>, span: readonly [number, number]): number[] {
  const list = timesOf(owner, "saveAt", times);
  if (inSpan(owner, "saveAt", list, span).some((t, i) => t !== list[i])) {
    throw new ValueError(`${owner}: saveAt holds ${list}; give times in the order in which they are met`);
  }
  return list;
}

/** @internal The stops of a solve: those that are forced, and the end. None where the span is empty. */
export function stopsOf(owner: string, stopAt: readonly number[], span: readonly [number, number]): number[] {
  if (span[0] === span[1]) return [];
  const inner = inSpan(owner, "stopAt", stopAt, span).filter((t) => t !== span[0] && t !== span[1]);
  return [...new Set(inner), span[1]];
}

/** @internal Tolerances as tensors beside a state. @throws ShapeError where there is not one for every entry. */
export function tolerancesOf(
  owner: string,
  { relativeTolerance, absoluteTolerance }: Pick<Stepping, "relativeTolerance" | "absoluteTolerance">,
  { size, dtype }: Pick<System, "size" | "dtype">,
): Tolerances {
  const relative = tensor(relativeTolerance, { dtype });
  if (typeof absoluteTolerance === "number") return { relative, absolute: tensor(absoluteTolerance, { dtype }) };
  const given = isTensor(absoluteTolerance) ? absoluteTolerance : tensor(absoluteTolerance, { dtype: "float64" });
  if (given.storage.kind === "host") {
    const wrong = given.data().findIndex((value: number) => !(value > 0 && value < Infinity));
    if (wrong >= 0) {
      throw new ValueError(
        `${owner}: absoluteTolerance holds ${given.data()[wrong]} at position ${wrong}; all must be finite numbers > 0`,
      );
    }
  }
  if (given.size !== size && given.size !== 1) {
    throw new ShapeError(
      `${owner}: absoluteTolerance has ${given.size} numbers; give one, or one for each of the ${size} of the state`,
    );
  }
  return { relative, absolute: cast(reshape(given, given.size === 1 ? [] : [size]), dtype) };
}

/** @internal Throws where a state holds something that is not finite. @throws ValueError */
export function requireFiniteState(owner: string, state: unknown): void {
  for (const leaf of tree.leaves<Tensor>(state)) {
    for (const value of leaf.data()) {
      if (!Number.isFinite(value)) throw new ValueError(`${owner}: y0 holds ${value}; it must be finite`);
    }
  }
}
