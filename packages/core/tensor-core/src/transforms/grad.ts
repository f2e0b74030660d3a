import { requireFunction } from "../arguments.js";
import { checkOptions } from "../check-options.js";
import { asTensor, onesLike } from "../construct.js";
import { DTypeError, IndexError, ShapeError, ValueError } from "../errors.js";
import { applied, type TensorFunction, type TreeFunction } from "../function-types.js";
import { formatShape } from "../shape.js";
import { released } from "../tape.js";
import { isTensor, type Tensor, type TensorLike } from "../tensor.js";
import * as tree from "../tree.js";
import { differentiableLeaves, linearise, releaseTree } from "./vjp.js";

/** Options of `grad` and `valueAndGrad`. */
export interface GradOptions {
  /** Which argument to differentiate, or which several. Default 0, the first. */
  argument?: number | readonly number[];
  /** The function returns `[loss, extra]`; `extra` is passed on without a gradient. Default false. */
  hasAux?: boolean;
}

/** What is differentiated: the first argument unless options name one (a tuple, so that unions do not distribute). */
type Differentiated<F extends TreeFunction, A> = [A] extends [readonly number[]]
  ? { -readonly [K in keyof A]: Gradient<Parameters<F>[A[K] & number]> }
  : Gradient<Parameters<F>[[A] extends [number] ? A : 0]>;

/** A tree like what is differentiated; a tensor where anything that becomes one may be given. */
type Gradient<T> = unknown extends T ? T : [TensorLike] extends [T] ? Extract<T, Tensor> : T;

/** What a function returns beside its loss. */
type Extra<R> = R extends readonly [unknown, infer E] ? E : never;

/**
 * A function that gives the value of the scalar function `f` and its gradient, a tree like the argument it is taken
 * of. With `hasAux` the value is `[loss, extra]`. Nests to any order.
 * @throws ShapeError where the result is not a scalar; DTypeError where the argument is not of a float type.
 * @example const [loss, gradient] = valueAndGrad((w) => sum(square(w)))(tensor([1, 2]));
 */
export function valueAndGrad<F extends TreeFunction = TensorFunction, const O extends GradOptions = GradOptions>(
  f: F,
  options: O = {} as O,
): (...args: Parameters<F>) => [value: ReturnType<F>, gradient: Differentiated<F, O["argument"]>] {
  requireFunction("grad", "the first argument", f);
  checkOptions("grad", options, ["argument", "hasAux"]);
  const positions =
    options.argument === undefined
      ? [0]
      : typeof options.argument === "number"
        ? [options.argument]
        : [...options.argument];
  return (...args) => {
    for (const p of positions) {
      if (!Number.isInteger(p) || p < 0 || p >= args.length) {
        throw new IndexError(
          `grad: argument ${p} is asked for, but the function was called with ${args.length} arguments`,
        );
      }
    }
    const { leaves, structure } = differentiableLeaves(
      "grad",
      positions.map((p) => args[p]),
    );
    let extra: unknown;
    const linear = linearise((variables) => {
      const chosen = tree.unflatten<unknown[]>(structure, variables);
      const full: unknown[] = [...args];
      positions.forEach((p, i) => {
        full[p] = chosen[i];
      });
      const result = applied(f, full);
      const loss = options.hasAux ? lossOf(result) : result;
      if (options.hasAux) extra = (result as readonly unknown[])[1];
      return [scalarLoss(loss)];
    }, leaves);
    const [loss] = linear.outputs;
    const gradients = tree.unflatten<unknown[]>(structure, linear.pullback([onesLike(loss)]).map(released));
    const value = options.hasAux ? [released(loss), releaseTree(extra)] : released(loss);
    return [
      value as ReturnType<F>,
      (options.argument === undefined || typeof options.argument === "number"
        ? gradients[0]
        : gradients) as Differentiated<F, O["argument"]>,
    ];
  };
}

/**
 * A function that gives the gradient of the scalar function `f` with respect to its first argument (or those named
 * by `options.argument`). With `hasAux` it gives `[gradient, extra]`. Nests to any order.
 * @throws ShapeError where the result is not a scalar; DTypeError where the argument is not of a float type.
 * @example grad((x) => mul(x, x))(tensor(3)) // 6
 */
export function grad<F extends TreeFunction = TensorFunction, const O extends GradOptions = GradOptions>(
  f: F,
  options: O = {} as O,
): (
  ...args: Parameters<F>
) => O["hasAux"] extends true
  ? [gradient: Differentiated<F, O["argument"]>, extra: Extra<ReturnType<F>>]
  : Differentiated<F, O["argument"]> {
  const both = valueAndGrad(f, options);
  return (...args) => {
    const [value, gradient] = both(...args);
    return (options.hasAux ? [gradient, (value as [unknown, unknown])[1]] : gradient) as never;
  };
}

function lossOf(result: unknown): unknown {
  if (!Array.isArray(result) || result.length !== 2) {
    throw new ValueError("grad: with hasAux the function must return [loss, extra]");
  }
  return result[0];
}

function scalarLoss(loss: unknown): Tensor {
  const t = isTensor(loss) ? loss : asTensor(loss as TensorLike);
  if (t.rank !== 0) {
    throw new ShapeError(
      `grad: the function returned shape ${formatShape(t.shape)}; a gradient needs a scalar: sum or average it, or use jacobian or vjp`,
    );
  }
  if (t.dtype !== "float32" && t.dtype !== "float64") {
    throw new DTypeError(`grad: the function returned ${t.dtype}; a gradient needs a float result`);
  }
  return t;
}
