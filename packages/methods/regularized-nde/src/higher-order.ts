import {
  add,
  isTensor,
  jvp,
  onesLike,
  requireFunction,
  requireInteger,
  square,
  sum,
  type Tensor,
  ValueError,
  vjp,
  zeros,
} from "@offprint/tensor-core";

/** Dynamics of states `[batch, n]`, in operations of tensors. */
export type Dynamics<P> = (t: Tensor, z: Tensor, parameters: P) => Tensor;

/** A state with the integral of a penalty beside it. */
export interface Penalized {
  /** The state, `[batch, n]`. */
  readonly z: Tensor;
  /** The integral, `[batch]`. */
  readonly penalty: Tensor;
}

const rows = (x: Tensor) => sum(x.reshape([x.shape[0], -1]), 1);

function requireTensor(owner: string, name: string, x: Tensor): void {
  if (!isTensor(x)) throw new ValueError(`${owner}: ${name} is no tensor; make one with tensor(${name}, { dtype })`);
}

/** A state with nothing penalised yet. */
export function penalized(z: Tensor): Penalized {
  requireTensor("penalized", "z", z);
  if (z.rank === 0) throw new ValueError("penalized: z is a scalar; give a batch of states, [batch, n]");
  return { z, penalty: zeros([z.shape[0]], z.dtype === "float32" ? "float32" : "float64") };
}

/**
 * TayNODE: beside the state runs `integral |d^K z / dt^K|^2 dt`, whose total derivatives come from nested forward mode.
 * @param order - `K`, 2 or more
 * @see Kelly et al. 2020.
 */
export function taylorPenalized<P>(
  f: Dynamics<P>,
  order = 2,
): (t: Tensor, state: Penalized, parameters: P) => Penalized {
  requireFunction("taylorPenalized", "f", f);
  requireInteger("taylorPenalized", "order", order, 1, 6);
  return (t, { z }, parameters) => {
    let derivative = (s: Tensor, x: Tensor) => f(s, x, parameters);
    for (let k = 1; k < order; k++) {
      const lower = derivative;
      derivative = (s, x) => jvp(lower, [s, x], [onesLike(s), f(s, x, parameters)])[1];
    }
    return { z: f(t, z, parameters), penalty: rows(square(derivative(t, z))) };
  };
}

/**
 * RNODE: beside the state runs `integral |f|^2 + |e^T df/dz|^2 dt`.
 * @param e - the direction of the estimate, like the state: normal or of random signs, drawn anew for every solve
 * @see Finlay et al. 2020.
 */
export function kineticPenalized<P>(
  f: Dynamics<P>,
  e: Tensor,
): (t: Tensor, state: Penalized, parameters: P) => Penalized {
  requireFunction("kineticPenalized", "f", f);
  requireTensor("kineticPenalized", "e", e);
  return (t, { z }, parameters) => {
    const [rate, pullback] = vjp((x: Tensor) => f(t, x, parameters), z);
    const [row] = pullback(e);
    return { z: rate, penalty: add(rows(square(rate)), rows(square(row))) };
  };
}

/** A state with the logarithm of its density beside it. */
export interface Flowing {
  /** The points, `[batch, n]`. */
  readonly z: Tensor;
  /** The logarithm of the density there, `[batch]`. */
  readonly logDensity: Tensor;
}

/**
 * FFJORD: points with the logarithm of their density, `d log p = -e^T (df/dz) e dt` for a fixed random `e` a solve.
 * @see Grathwohl et al. 2019.
 */
export function flowing<P>(f: Dynamics<P>, e: Tensor): (t: Tensor, state: Flowing, parameters: P) => Flowing {
  requireFunction("flowing", "f", f);
  requireTensor("flowing", "e", e);
  if (e.rank !== 2) throw new ValueError(`flowing: e has shape [${e.shape}]; give one like the points, [batch, n]`);
  return (t, { z }, parameters) => {
    const [rate, pullback] = vjp((x: Tensor) => f(t, x, parameters), z);
    return { z: rate, logDensity: rows(pullback(e)[0].mul(e)).mul(-1) };
  };
}
