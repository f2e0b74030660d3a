import { type Raveling, raveling } from "@offprint/solvers";
import {
  add,
  equal,
  expandDims,
  greaterEqual,
  logicalAnd,
  maximum,
  mul,
  sub,
  type Tensor,
  take,
  tensor,
  where,
  whileLoop,
} from "@offprint/tensor-core";
import { advance, nothing } from "../advance.js";
import { fixedController, piController } from "../controller.js";
import { beginning } from "../machine.js";
import { makeSystem } from "../system.js";
import { type Cotangents, directionOf, type Problem, type Times } from "./trajectory.js";

/** The state of the adjoint equation without the solution: its gradient, and that by the parameters. */
export interface AdjointState<P> {
  readonly gradient: Tensor;
  readonly parameters: P;
}

/** How far an adjoint equation has been solved. */
export interface AdjointProgress {
  /** Where it is. */
  readonly t: Tensor;
  /** The state there, as a vector. */
  readonly state: Tensor;
  /** The number of the saved state that is met next, int32; -1 where there is none. */
  readonly save: Tensor;
}

/** What belongs to the saved state that is met next; to the first where all are behind. */
const nextSave = (save: Tensor, rows: Tensor): Tensor => take(rows, maximum(save, 0));

/** An adjoint equation that is solved backwards, stretch by stretch, with the gradients by saved states added where they are. */
export class AdjointSolve<P, A extends AdjointState<P>> {
  private readonly space: Raveling<A>;

  /** @param start - at `t1`, a tree of tensors */
  constructor(
    private readonly problem: Pick<Problem<P>, "method" | "controller" | "tolerances">,
    private readonly times: Times,
    private readonly cotangents: Cotangents,
    private readonly start: A,
  ) {
    this.space = raveling("integrate", start);
  }

  /** Before the first stretch, at `t1`. */
  begin(): AdjointProgress {
    const [, t1, saveAt] = this.times;
    const count = tensor((saveAt?.size ?? 0) - 1, { dtype: "int32" });
    return { t: t1, state: this.space.ravel(this.start), save: count };
  }

  /** What the solve has come to. */
  end({ state }: AdjointProgress): A {
    return this.space.unravel(state);
  }

  /** Solves back to a time, by a rate of the tree; saved states there are met too. */
  back(from: AdjointProgress, to: Tensor, rate: (t: Tensor, state: A) => A): AdjointProgress {
    const { space, cotangents } = this;
    const [t0, t1, saveAt] = this.times;
    const system = makeSystem(space, (t, v) => space.ravel(rate(t, space.unravel(v))));
    if (saveAt === null || saveAt.size === 0) return { ...from, t: to, state: this.stretch(system, from, to) };
    const direction = directionOf(t0, t1);
    const met = whileLoop(
      ({ save }: AdjointProgress) => {
        return logicalAnd(greaterEqual(save, 0), greaterEqual(mul(direction, sub(nextSave(save, saveAt), to)), 0));
      },
      (s: AdjointProgress): AdjointProgress => {
        const t = nextSave(s.save, saveAt);
        const arrived = space.unravel(this.stretch(system, s, t));
        const gradient = add(arrived.gradient, nextSave(s.save, cotangents.saved));
        return { t, state: space.ravel({ ...arrived, gradient }), save: sub(s.save, 1) };
      },
      from,
    );
    return { ...met, t: to, state: this.stretch(system, met, to) };
  }

  private stretch(system: ReturnType<typeof makeSystem>, { t, state }: AdjointProgress, to: Tensor): Tensor {
    const { method, controller, tolerances } = this.problem;
    const given = {
      system,
      method,
      controller: controller === fixedController ? piController() : controller,
      tolerances: { relative: tolerances.relative, absolute: tolerances.absolute.max() },
      direction: directionOf(t, to),
      stops: expandDims(to, 0),
    };
    const { progress } = advance(given, beginning(given, t, state, null), undefined, { steps: 100_000 }, nothing);
    // What did not get there is no gradient.
    return where(equal(progress.stop, 1), progress.y, Number.NaN);
  }
}
