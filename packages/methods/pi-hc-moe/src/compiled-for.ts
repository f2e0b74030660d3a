import { isTensor, type Jitted, jit, type TreeFunction } from "@offprint/tensor-core";

type Kept = Map<string, unknown>;

/** By the network and the equation, so that further trainings and evaluations of them need no compiling. */
const known = new WeakMap<object, WeakMap<object, Kept>>();

/** A compiled function, and what is to be done with it after use. */
export interface CompiledFor<F extends TreeFunction> {
  readonly run: Jitted<F>;
  /** Frees what cannot be found again. */
  readonly release: () => Promise<void>;
}

/**
 * @internal A function of one network and one equation, compiled once for each set of settings.
 * @param settings - Plain values; with a function or a tensor among them it is compiled anew.
 */
export function compiledFor<F extends TreeFunction>(
  network: object,
  equation: object,
  settings: readonly unknown[],
  make: () => F,
): CompiledFor<F> {
  const key = keyOf(settings);
  if (key === undefined) {
    const run = jit(make());
    return { run, release: () => run.release() };
  }
  const equations = known.get(network) ?? new WeakMap<object, Kept>();
  known.set(network, equations);
  const kept = equations.get(equation) ?? new Map<string, unknown>();
  equations.set(equation, kept);
  const run = (kept.get(key) as Jitted<F> | undefined) ?? jit(make());
  kept.set(key, run);
  return { run, release: async () => undefined };
}

function keyOf(settings: readonly unknown[]): string | undefined {
  let plain = true;
  const key = JSON.stringify(settings, (_, value) => {
    if (typeof value === "function" || isTensor(value) || ArrayBuffer.isView(value)) plain = false;
    // Infinity and NaN have no form of their own in JSON.
    return typeof value === "number" ? String(value) : value;
  });
  return plain ? key : undefined;
}
