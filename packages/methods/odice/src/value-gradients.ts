import {
  add,
  cast,
  mean,
  min,
  mul,
  requireFunction,
  requireObject,
  sub,
  type Tensor,
  tree,
  vjp,
} from "@offprint/tensor-core";
import { conjugateSlope, type Divergence } from "./f-divergence.js";
import { orthogonalGradient } from "./orthogonal-gradient.js";

/** How values are updated: the paper's, through both ends of a transition, or through its first alone. */
export type ValueUpdate = "orthogonal" | "true" | "semi";

/** Transitions, a batch of them. */
export interface OfflineBatch {
  /** `[batch, ...]`. */
  readonly observations: Tensor;
  /** `[batch, actions]`. */
  readonly actions: Tensor;
  /** `[batch]`. */
  readonly rewards: Tensor;
  /** Like the observations. */
  readonly nextObservations: Tensor;
  /** 1 where an episode ended for good, `[batch]`. */
  readonly terminals: Tensor;
}

/** A network's function: `[batch]`, or `[2, batch]` for twins. */
export type ValueFunction<P> = (params: P, observations: Tensor) => Tensor;

/** What value updates take. */
export interface ValueSettings {
  /** Which gradient. */
  readonly type: ValueUpdate;
  /** Which divergence. */
  readonly divergence: Divergence;
  /** Weight of the conjugate, in (0, 1). */
  readonly lambda: number;
  /** Weight of the backward gradient. */
  readonly eta: number;
  /** gamma, in [0, 1). */
  readonly discount: number;
}

/** Gradients of the value's loss. */
export interface ValueGradients<P> {
  /** `r + gamma (1 - done) Vbar(s') - V(s)`; of the true gradient with `V(s')`. */
  readonly forwardResidual: Tensor;
  /** `r + gamma (1 - done) V(s') - Vbar(s)`. */
  readonly backwardResidual: Tensor;
  /** Through `V(s)`. */
  readonly gF: P;
  /** Through `V(s')`. */
  readonly gB: P;
  /** The part of `gB` along `gF`, as a factor of the latter. */
  readonly coefficient: Tensor;
  /** The cosine between both. */
  readonly cosine: Tensor;
  /** What the optimizer gets. */
  readonly total: P;
  /** `V(s)`. */
  readonly values: Tensor;
}

/** The least of twins, or the value itself: `[batch]`. */
export const leastOf = (values: Tensor): Tensor => (values.rank === 2 ? min(values, 0) : values);

/**
 * The gradients of `(1 - lambda) E V(s) + lambda E f*(r + gamma (1 - done) V(s') - V(s))` by its three rules. Traceable.
 * @param target parameters of the target network, which has no gradient
 */
export function valueGradients<P>(
  apply: ValueFunction<P>,
  params: P,
  target: P,
  offlineBatch: OfflineBatch,
  options: ValueSettings,
): ValueGradients<P> {
  requireFunction("valueGradients", "apply", apply);
  requireObject("valueGradients", "offlineBatch", offlineBatch, "an OfflineBatch");
  requireObject("valueGradients", "options", options, "{ type, divergence, lambda, eta, discount }");
  const { observations, nextObservations, rewards, terminals } = offlineBatch;
  const { type, divergence, lambda, eta, discount } = options;

  const [values, pullHere] = vjp((p: P) => apply(p, observations), params);
  const [nextValues, pullNext] = vjp((p: P) => apply(p, nextObservations), params);
  const going = mul(sub(1, cast(terminals, values.dtype)), discount);
  const reach = (next: Tensor, here: Tensor): Tensor => sub(add(rewards, mul(going, next)), here);
  const bootstrapped = type === "true" ? nextValues : leastOf(apply(target, nextObservations));
  const forwardResidual = reach(bootstrapped, values);
  const backwardResidual = type === "true" ? forwardResidual : reach(nextValues, leastOf(apply(target, observations)));
  // Means over all entries, those of both twins.
  const share = 1 / values.size;
  const push = (residual: Tensor): Tensor => mul(conjugateSlope(residual, divergence), lambda * share);
  const [gF] = pullHere(push(forwardResidual).neg());
  const weight = type === "true" ? 1 : eta;
  const [gB] = pullNext(mul(mul(push(backwardResidual), going), weight));
  const level = add(mul(values, 0), (1 - lambda) * share);
  const { combined, coefficient, cosine } = orthogonalGradient(gF, gB);
  const total = (): P => {
    // One pass backwards does where nothing is projected.
    if (type === "semi") return pullHere(sub(level, push(forwardResidual)))[0];
    return plus(type === "orthogonal" ? combined : plus(gF, gB), pullHere(level)[0]);
  };
  return {
    forwardResidual,
    backwardResidual,
    gF,
    gB,
    coefficient,
    cosine,
    total: total(),
    values,
  };
}

function plus<P>(a: P, b: P): P {
  return tree.map((x: Tensor, y: Tensor) => add(x, y), a, b) as P;
}

/** The mean cosine between what a layer makes of both ends of transitions. */
export function featureSimilarity(here: Tensor, next: Tensor): Tensor {
  const dot = (a: Tensor, b: Tensor) => mul(a, b).sum(-1);
  return mean(dot(here, next).div(dot(here, here).mul(dot(next, next)).sqrt().maximum(1e-12)));
}
