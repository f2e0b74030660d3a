import {
  checkOptions,
  div,
  equal,
  lessEqual,
  maximum,
  minimum,
  onesLike,
  pow,
  requirePositive,
  type Tensor,
  ValueError,
  where,
} from "@offprint/tensor-core";

/** What a controller makes of an error. */
export interface Decision {
  /** Whether the step stands. */
  readonly accepted: Tensor;
  /** The next size, as a multiple of this one. */
  readonly factor: Tensor;
  /** What the controller remembers. */
  readonly memory: Tensor;
}

/** How steps follow errors: pure functions, written in operations of tensors. */
export interface Controller {
  /** What it remembers at the beginning: `[]`. */
  readonly initial: number;
  /**
   * What to make of a step's error.
   * @param error - the error relative to the tolerances, `[]`, 1 at most allowed
   * @param memory - of the last accepted step
   * @param order - by what power the step follows the error
   */
  decide(error: Tensor, memory: Tensor, order: number): Decision;
}

/** @internal A controller as it was given. @throws ValueError for what is none */
export function checkController(owner: string, controller: unknown): void {
  if (controller === undefined) return;
  const { initial, decide } = (controller ?? {}) as Partial<Controller>;
  if (Number.isFinite(initial) && typeof decide === "function") return;
  throw new ValueError(
    `${owner}: controller is ${String(controller)} with initial ${String(initial)}; give { initial, decide(error, memory, order) }, such as piController()`,
  );
}

/** Settings of {@link piController}. */
export interface PiOptions {
  /** Exponent of the error, over the order (default 0.7). */
  readonly proportional?: number;
  /** Exponent of the error before, over the order (default 0.4; 0 for a plain integral controller). */
  readonly integral?: number;
  /** Part of the step that would just do (default 0.9). */
  readonly safety?: number;
  /** Least factor of a step (default 0.2). */
  readonly smallest?: number;
  /** Largest factor of a step (default 10). */
  readonly largest?: number;
}

/** Errors below it count as it, for the step after. */
const SMALLEST_MEMORY = 1e-4;

/**
 * A proportional-integral controller: `h / clamp(E^beta1 / E_before^beta2 / safety)` after a step that stands, and
 * `h / min(1 / smallest, E^beta1 / safety)` after one that does not.
 * @see Gustafsson 1991; Hairer, Wanner, Solving Ordinary Differential Equations II, IV.2.
 * @throws ValueError for settings out of range.
 */
export function piController(options: PiOptions = {}): Controller {
  checkOptions("piController", options, ["proportional", "integral", "safety", "smallest", "largest"]);
  const { proportional = 0.7, integral = 0.4, safety = 0.9, smallest = 0.2, largest = 10 } = options;
  for (const [name, value] of Object.entries({ proportional, safety, smallest, largest })) {
    requirePositive("piController", name, value);
  }
  if (!(integral >= 0 && integral < Infinity) || smallest >= 1 || largest <= 1 || safety > 1) {
    throw new ValueError(
      `piController: integral ${integral}, smallest ${smallest}, largest ${largest}, safety ${safety}; they must be >= 0, < 1, > 1 and <= 1`,
    );
  }
  return {
    initial: SMALLEST_MEMORY,
    decide(error, memory, order) {
      const proportion = pow(error, proportional / order);
      const accepted = lessEqual(error, 1);
      const damped = integral === 0 ? proportion : div(proportion, pow(memory, integral / order));
      const quotient = minimum(maximum(div(damped, safety), 1 / largest), 1 / smallest);
      const kept = where(equal(error, 0), 1 / largest, quotient);
      const refused = minimum(div(proportion, safety), 1 / smallest);
      return {
        accepted,
        factor: div(1, where(accepted, kept, refused)),
        memory: where(accepted, maximum(error, SMALLEST_MEMORY), memory),
      };
    },
  };
}

/** An integral controller: `h safety E^(-1 / order)`, as SciPy's. @throws ValueError */
export function integralController(options: Omit<PiOptions, "proportional" | "integral"> = {}): Controller {
  checkOptions("integralController", options, ["safety", "smallest", "largest"]);
  return piController({ proportional: 1, integral: 0, ...options });
}

/** Takes every step, and keeps its size. */
export const fixedController: Controller = {
  initial: 0,
  decide: (error, memory) => ({ accepted: equal(error, error), factor: onesLike(error), memory }),
};
