import { sub, type Tensor, type TensorLike, tree } from "@offprint/tensor-core";
import { runOptionNames } from "../run/run-options.js";
import { checkedSettings, type FixedPointSettings } from "./vector-methods.js";
import { type RootResult, type RootRunOptions, runRoot, runRootSync, type StepOptions } from "./vector-run.js";

/** Options of {@link fixedPoint}. */
export interface FixedPointOptions extends FixedPointSettings, RootRunOptions {}

/** Options of {@link fixedPointSync}. */
export interface FixedPointSyncOptions extends FixedPointSettings, StepOptions {}

/**
 * A fixed point `x = f(x)`, by Anderson acceleration or the plain iteration; the residual is `f(x) - x`. For one that has
 * a gradient by parameters of `f`, and is found inside traced functions, see `implicit.fixedPoint`.
 *
 * @param f - A function of a tensor or a tree of tensors that gives one alike; an array of numbers is read as float64.
 * @param initial - First iterate.
 * @throws ValueError for options out of range and an `initial` that is not finite; NonFiniteError where `f` is not.
 * @example const { x } = await fixedPoint((x) => cos(x), 1); // 0.739085
 */
export async function fixedPoint(
  f: (x: Tensor) => TensorLike,
  initial: TensorLike,
  options?: FixedPointOptions,
): Promise<RootResult<Tensor>>;
export async function fixedPoint<X>(f: (x: X) => X, initial: X, options?: FixedPointOptions): Promise<RootResult<X>>;
export async function fixedPoint<X>(
  f: (x: X) => X,
  initial: X,
  options: FixedPointOptions = {},
): Promise<RootResult<X>> {
  const owner = "fixedPoint";
  const settings = checkedSettings(owner, options, ["anderson", "iteration"], ["compile", ...runOptionNames]);
  return runRoot(owner, displacement(f), initial, settings, options);
}

/** {@link fixedPoint} in one go, for problems that are over in a blink. */
export function fixedPointSync(
  f: (x: Tensor) => TensorLike,
  initial: TensorLike,
  options?: FixedPointSyncOptions,
): RootResult<Tensor>;
export function fixedPointSync<X>(f: (x: X) => X, initial: X, options?: FixedPointSyncOptions): RootResult<X>;
export function fixedPointSync<X>(f: (x: X) => X, initial: X, options: FixedPointSyncOptions = {}): RootResult<X> {
  const owner = "fixedPointSync";
  const settings = checkedSettings(owner, options, ["anderson", "iteration"], ["compile"]);
  return runRootSync(owner, displacement(f), initial, settings, options);
}

/** @internal `f(x) - x`. */
export function displacement<X>(f: (x: X) => X): (x: X) => X {
  return (x) => tree.map((image: TensorLike, leaf: TensorLike) => sub(image, leaf), f(x), x) as X;
}
