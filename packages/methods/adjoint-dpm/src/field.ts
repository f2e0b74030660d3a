import { type Level, levelAtRatio, type NoiseSchedule, noiseRatio } from "@offprint/diffusion";
import { jvp, log, type Tensor, tensor } from "@offprint/tensor-core";
import type { Calls, Wanted } from "./model.js";
import { treeCombination } from "./tree-combination.js";

/** A point of the equation `dy/ds = linear y + gain noise(scale y)`. */
export interface FieldPoint {
  /** The level at which the network is called. */
  readonly level: Level;
  /** From the variable to the network's state. */
  readonly scale: number;
  /** Factor of the variable. */
  readonly linear: number;
  /** Factor of the predicted noise. */
  readonly gain: number;
}

/** The probability-flow equation in some variable of time. */
export interface Form {
  /** The variable of time at a level. */
  time(level: Level): number;
  /** The variable of state is the state divided by this. */
  scale(level: Level): number;
  /** The equation at a time; called at the places of a grid and of stages. */
  point(time: number): FieldPoint;
}

/**
 * The paper's: `y = x / alpha` over `rho = sigma / alpha`, where `dy/drho = noise(alpha y)` has no linear part and is not stiff.
 */
export function reparametrised(schedule: NoiseSchedule): Form {
  const points = new Map<number, FieldPoint>();
  return {
    time: noiseRatio,
    scale: ({ alpha }) => alpha,
    point(rho) {
      let point = points.get(rho);
      if (point === undefined) {
        const level = levelAtRatio(schedule, rho);
        point = { level, scale: level.alpha, linear: 0, gain: 1 };
        points.set(rho, point);
      }
      return point;
    },
  };
}

/** The raw equation in time, `dx/dt = f x + g^2 / (2 sigma) noise(x)`: the baseline. */
export function rawFlow(schedule: NoiseSchedule): Form {
  const points = new Map<number, FieldPoint>();
  return {
    time: ({ t }) => t,
    scale: () => 1,
    point(t) {
      let point = points.get(t);
      if (point === undefined) {
        const place = tensor(t, { dtype: "float64" });
        const one = tensor(1, { dtype: "float64" });
        const [, drift] = jvp((s: Tensor) => log(schedule.at(s).alpha), [place], [one]);
        const [sigma, spread] = jvp((s: Tensor) => schedule.at(s).sigma, [place], [one]);
        const tensors = schedule.at(place);
        const level = { t, timestep: tensors.timestep.item(), alpha: tensors.alpha.item(), sigma: sigma.item() };
        const f = drift.item();
        // g^2 = d(sigma^2)/dt - 2 f sigma^2.
        point = { level, scale: 1, linear: f, gain: spread.item() - f * level.sigma };
        points.set(t, point);
      }
      return point;
    },
  };
}

/** What goes forward: the variable alone. */
export interface Forward {
  /** `[batch, ...]`. */
  readonly y: Tensor;
}

/** What goes backwards: the variable, the adjoint, and what has gathered for condition and parameters. */
export interface Augmented<P, C> extends Forward {
  /** `dL/dy`. */
  readonly a: Tensor;
  /** Null where it is not wanted. */
  readonly condition: C | null;
  /** Null where they are not wanted. */
  readonly params: P | null;
}

/** A rate of a state at a time. */
export type Rate<S> = (time: number, state: S) => Promise<S>;

/** The rate of the variable. */
export function forwardRate<P, C>(form: Form, calls: Calls<P, C>, condition: C | undefined): Rate<Forward> {
  return async (time, { y }) => {
    const { level, scale, linear, gain } = form.point(time);
    const z = scale === 1 ? y : treeCombination([scale], [y]);
    const noise = await calls.noise(z, level, condition);
    return { y: linear === 0 && gain === 1 ? noise : treeCombination([linear, gain], [y, noise]) };
  };
}

/** The rate of the augmented state: `da/ds = -(linear + gain scale J^T) a`, and likewise what gathers. */
export function augmentedRate<P, C>(
  form: Form,
  calls: Calls<P, C>,
  condition: C | undefined,
  wanted: Required<Wanted>,
): Rate<Augmented<P, C>> {
  return async (time, { y, a }) => {
    const { level, scale, linear, gain } = form.point(time);
    const z = treeCombination([scale], [y]);
    const pulled = await calls.pulled(z, level, condition, a, wanted);
    return {
      y: treeCombination([linear, gain], [y, pulled.noise]),
      a: treeCombination([-linear, -gain * scale], [a, pulled.z]),
      condition: pulled.condition === null ? null : treeCombination([-gain], [pulled.condition]),
      params: pulled.params === null ? null : treeCombination([-gain], [pulled.params]),
    };
  };
}
