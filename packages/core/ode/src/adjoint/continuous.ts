import { raveling } from "@offprint/solvers";
import { add, concatenate, expandDims, flip, scan, type Tensor, zerosLike } from "@offprint/tensor-core";
import { advance, nothing } from "../advance.js";
import { piController } from "../controller.js";
import { beginning } from "../machine.js";
import { makeSystem } from "../system.js";
import { type Cotangents, directionOf, type Problem } from "./trajectory.js";

/**
 * Solves an adjoint equation from `t1` back to `t0`, with the gradients by saved states added where they are.
 * @param start - at `t1`, a tree of tensors
 * @param jump - the tree with a saved state's gradient added
 * @param rate - of the tree
 */
export function solveBack<P, A>(
  owner: string,
  { method, controller, tolerances }: Pick<Problem<P>, "method" | "controller" | "tolerances">,
  [t0, t1, saveAt]: readonly [Tensor, Tensor, Tensor | null],
  cotangents: Cotangents,
  start: A,
  jump: (state: A, gradient: Tensor) => A,
  rate: (t: Tensor, state: A) => A,
): A {
  const space = raveling(owner, start);
  const system = makeSystem(space, (t, v) => space.ravel(rate(t, space.unravel(v))));
  const adaptive = controller.initial > 0 ? controller : piController();
  const stretch = (from: Tensor, to: Tensor, state: Tensor) => {
    const given = {
      system,
      method,
      controller: adaptive,
      tolerances: { relative: tolerances.relative, absolute: tolerances.absolute.max() },
      direction: directionOf(from, to),
      stops: expandDims(to, 0),
    };
    const { progress } = advance(given, beginning(given, from, state, null), undefined, { steps: 100_000 }, nothing);
    return progress.y;
  };
  if (saveAt === null) return space.unravel(stretch(t1, t0, space.ravel(start)));
  const targets = concatenate([flip(saveAt), expandDims(t0, 0)]);
  const gradients = concatenate([flip(cotangents.saved, 0), expandDims(zerosLike(cotangents.last), 0)]);
  const [end] = scan(
    ({ t, state }: { t: Tensor; state: Tensor }, { to, gradient }: { to: Tensor; gradient: Tensor }) => {
      const arrived = space.unravel(stretch(t, to, state));
      return [{ t: to, state: space.ravel(jump(arrived, gradient)) }, null] as [{ t: Tensor; state: Tensor }, null];
    },
    { t: t1, state: space.ravel(start) },
    { to: targets, gradient: gradients } as never,
  );
  return space.unravel(end.state);
}

/** The state of the adjoint equation without the solution: its gradient, and that by the parameters. */
export interface AdjointState<P> {
  readonly gradient: Tensor;
  readonly parameters: P;
}

/** Adds a gradient by the state. */
export function addGradient<P, A extends AdjointState<P>>(state: A, gradient: Tensor): A {
  return { ...state, gradient: add(state.gradient, gradient) };
}
