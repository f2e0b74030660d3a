import type { Tensor, TensorLike } from "@offprint/tensor-core";
import { runOptionNames } from "../run/run-options.js";
import { checkedSettings, type RootSettings } from "./vector-methods.js";
import { type RootResult, type RootRunOptions, runRoot, runRootSync, type StepOptions } from "./vector-run.js";

/** Options of {@link root}. */
export interface RootOptions extends RootSettings, RootRunOptions {}

/** Options of {@link rootSync}. */
export interface RootSyncOptions extends RootSettings, StepOptions {}

const methods = ["newton", "broyden", "anderson"] as const;

/**
 * A root `g(x) = 0` of as many equations as variables, by Newton's method with backtracking, Broyden's or Anderson
 * acceleration. For one that has a gradient by parameters of `g`, and is found inside traced functions, see
 * `implicit.root`.
 *
 * @param g - A function of a tensor or a tree of tensors that gives one alike, in operations of tensors (Anderson's needs
 * no derivative, so that any function will do); an array of numbers is read as float64.
 * @param initial - First iterate.
 * @throws ValueError for options out of range and an `initial` that is not finite; NonFiniteError where `g` is not.
 * @example const { x } = await root((x) => sub(square(x), 2), 1); // 1.414213
 */
export async function root(
  g: (x: Tensor) => TensorLike,
  initial: TensorLike,
  options?: RootOptions,
): Promise<RootResult<Tensor>>;
export async function root<X>(g: (x: X) => X, initial: X, options?: RootOptions): Promise<RootResult<X>>;
export async function root<X>(g: (x: X) => X, initial: X, options: RootOptions = {}): Promise<RootResult<X>> {
  const settings = checkedSettings("root", options, methods, ["compile", ...runOptionNames]);
  return runRoot("root", g, initial, settings, options);
}

/** {@link root} in one go, for problems that are over in a blink. */
export function rootSync(
  g: (x: Tensor) => TensorLike,
  initial: TensorLike,
  options?: RootSyncOptions,
): RootResult<Tensor>;
export function rootSync<X>(g: (x: X) => X, initial: X, options?: RootSyncOptions): RootResult<X>;
export function rootSync<X>(g: (x: X) => X, initial: X, options: RootSyncOptions = {}): RootResult<X> {
  const settings = checkedSettings("rootSync", options, methods, ["compile"]);
  return runRootSync("rootSync", g, initial, settings, options);
}
