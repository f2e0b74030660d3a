import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  type Tensor,
} from "@offprint/tensor-core";
import { andersonIteration, simpleIteration } from "./anderson.js";
import { broydenIteration, newtonIteration } from "./newton.js";
import type { IterateState, VectorIteration } from "./vector-iteration.js";

/** Limits of {@link fixedPoint} and {@link root}. */
export interface IterationSettings {
  /** Converged when the Euclidean norm of the residual is at most this (default 1e-10). */
  readonly tolerance?: number;
  /** Most iterations (default 1000). */
  readonly maxIterations?: number;
  /** Points that Anderson acceleration remembers (default 5). */
  readonly memory?: number;
  /** Part of the residual that an iteration adds: of Anderson acceleration and the plain iteration (default 1). */
  readonly mixing?: number;
}

/** How a fixed point is found. */
export interface FixedPointSettings extends IterationSettings {
  /** `"anderson"` (default) or the plain `"iteration"`, which converges where `f` is a contraction. */
  readonly method?: "anderson" | "iteration";
}

/** How a root is found. */
export interface RootSettings extends IterationSettings {
  /**
   * `"newton"` (default) with backtracking; `"broyden"`, which takes the Jacobian at the start and where its own estimate
   * fails; `"anderson"`, which takes none: it accelerates `x + mixing g(x)`.
   */
  readonly method?: "newton" | "broyden" | "anderson";
}

const settingNames = ["tolerance", "maxIterations", "memory", "mixing", "method"] as const;

/** @internal The methods by name, and what they need to be told. */
export type MethodName = "anderson" | "iteration" | "newton" | "broyden";

/** @internal Settings with their defaults. */
export interface CheckedSettings {
  readonly method: MethodName;
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly memory: number;
  readonly mixing: number;
}

/** @internal Checks options and fills in what is left out. The first of `methods` is the default. @throws ValueError */
export function checkedSettings(
  owner: string,
  options: IterationSettings & { readonly method?: MethodName },
  methods: readonly MethodName[],
  names: readonly string[],
): CheckedSettings {
  checkOptions(owner, options, [...settingNames, ...names]);
  const { tolerance = 1e-10, maxIterations = 1000, memory = 5, mixing = 1, method = methods[0] } = options;
  requireNonNegative(owner, "tolerance", tolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireInteger(owner, "memory", memory, 1);
  requirePositive(owner, "mixing", mixing);
  requireChoice(owner, "method", method, methods);
  return { tolerance, maxIterations, memory, mixing, method };
}

/** @internal The iteration that settings name. */
export function iterationOf(
  residual: (x: Tensor) => Tensor,
  { method, memory, mixing }: CheckedSettings,
): VectorIteration<IterateState> {
  const methods: Record<MethodName, () => unknown> = {
    anderson: () => andersonIteration(residual, memory, mixing),
    iteration: () => simpleIteration(residual, mixing),
    newton: () => newtonIteration(residual),
    broyden: () => broydenIteration(residual),
  };
  // A run meets only states that its own iteration made or checked.
  return methods[method]() as VectorIteration<IterateState>;
}
