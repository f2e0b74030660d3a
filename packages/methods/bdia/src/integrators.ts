import {
  callLevel,
  ddimCoefficients,
  ddimStep,
  dpmCoefficients,
  heunStep,
  type Level,
  linearCombination,
  type Sampling,
} from "@offprint/diffusion";
import { isTensor, ShapeError, type Tensor, UnsupportedError, ValueError } from "@offprint/tensor-core";
import type { Mapped } from "./two-step.js";

/** A one-step integrator of one's own: the state at level `to` from the state at level `from`, up or down. */
export type OwnIntegrator = (z: Tensor, from: Level, to: Level) => Tensor | Promise<Tensor>;

/** What is wrapped: DDIM, EDM's Heun steps, DPM-Solver++(2M) (sampling only), or a function. */
export type IntegratorName = "ddim" | "edm" | "dpmSolver";

/** Integrated maps from a place to its neighbours, as factors of the same tensors. */
export interface Maps {
  /** The state, and what was predicted. */
  readonly tensors: readonly Tensor[];
  /** Factors of the map to the place below. */
  readonly down: readonly number[];
  /** Factors of the map to the place above. */
  readonly up: readonly number[];
  /** What a multistep integrator remembers. */
  readonly memory: Tensor | null;
}

/** An integrator bound to a grid. */
export interface Integrator {
  /** The map from a place to a neighbour. */
  map(z: Tensor, from: number, to: number): Promise<Mapped>;
  /** The maps to both neighbours; that above may be left out where its factor is 0. */
  both(z: Tensor, i: number, memory: Tensor | null, withUp: boolean): Promise<Maps>;
}

/** DDIM: one call serves both maps. */
export function ddimIntegrator<C>({ levels, call }: Sampling<C>): Integrator {
  return {
    map: async (z, from, to) => ({
      z: ddimStep(z, await call.noise(z, callLevel(levels, from)), levels[from], levels[to]),
      memory: null,
    }),
    async both(z, i) {
      const noise = await call.noise(z, levels[i]);
      const [down, up] = [ddimCoefficients(levels[i], levels[i - 1]), ddimCoefficients(levels[i], levels[i + 1])];
      return { tensors: [z, noise], down: [down.z, down.noise], up: [up.z, up.noise], memory: null };
    },
  };
}

/** EDM's Heun steps; the map above by Heun, with a call of its own, or by Euler. */
export function edmIntegrator<C>(sampling: Sampling<C>, backward: "heun" | "euler"): Integrator {
  return {
    map: async (z, from, to) => ({ z: (await heunStep(sampling, z, from, to)).z, memory: null }),
    async both(z, i, _, withUp) {
      const { z: below, noise } = await heunStep(sampling, z, i, i - 1);
      if (!withUp) return { tensors: [below], down: [1], up: [0], memory: null };
      const { z: above } = await heunStep(sampling, z, i, i + 1, noise, backward === "heun" ? 2 : 1);
      return { tensors: [below, above], down: [1, 0], up: [0, 1], memory: null };
    },
  };
}

/** DPM-Solver++(2M), whose steps look at the data predicted one place above: downwards only. */
export function dpmIntegrator<C>({ levels, call, owner }: Sampling<C>): Integrator {
  return {
    async map(z, from, to) {
      const data = await call.data(z, levels[from]);
      const factors = dpmCoefficients(levels[from], levels[to]);
      return { z: linearCombination([factors.z, factors.data], [z, data]), memory: data };
    },
    async both(z, i, memory, withUp) {
      if (memory === null) {
        throw new UnsupportedError(
          `${owner}: "dpmSolver" needs what was predicted one level above, so that it cannot be inverted or begun with a pair; use "ddim" or "edm"`,
        );
      }
      const data = await call.data(z, levels[i]);
      const down = dpmCoefficients(levels[i], levels[i - 1], levels[i + 1]);
      if (!withUp)
        return { tensors: [z, data, memory], down: [down.z, down.data, down.before], up: [0, 0, 0], memory: data };
      const back = dpmCoefficients(levels[i], levels[i + 1]);
      return {
        tensors: [z, data, memory],
        down: [down.z, down.data, down.before],
        up: [back.z, back.data / 2, back.data / 2],
        memory: data,
      };
    },
  };
}

/** A function of the user as an integrator: called once for each neighbour. */
export function ownIntegrator(
  { levels, owner }: Pick<Sampling<unknown>, "levels" | "owner">,
  step: OwnIntegrator,
): Integrator {
  const map = async (z: Tensor, from: number, to: number): Promise<Tensor> => {
    const next: unknown = await step(z, levels[from], levels[to]);
    if (!isTensor(next))
      throw new ValueError(`${owner}: integrator gave no tensor; it must give the state at the level \`to\``);
    if (next.shape.join() === z.shape.join()) return next;
    throw new ShapeError(`${owner}: integrator gave shape [${next.shape}] for states of shape [${z.shape}]`);
  };
  return {
    map: async (z, from, to) => ({ z: await map(z, from, to), memory: null }),
    async both(z, i, _, withUp) {
      const below = await map(z, i, i - 1);
      if (!withUp) return { tensors: [below], down: [1], up: [0], memory: null };
      return { tensors: [below, await map(z, i, i + 1)], down: [1, 0], up: [0, 1], memory: null };
    },
  };
}
