import {
  convertPrediction,
  type Denoiser,
  type Level,
  type LevelTensors,
  levelTensors,
  noiseWithPullback,
  predictAs,
} from "@offprint/diffusion";
import { type Backend, jit, type Tensor, UnsupportedError, ValueError, vjp } from "@offprint/tensor-core";

/** A denoiser with parameters that gradients are wanted of. */
export interface ParametricModel<P, C = Tensor> {
  /** The denoiser of some parameters, in operations of tensors. Compiled at its first use: what else it reads must stay. */
  readonly network: (params: P) => Denoiser<C>;
  /** A tree of tensors. */
  readonly params: P;
}

/** What is sampled from: a denoiser, or one with parameters. */
export type AdjointModel<P = null, C = Tensor> = Denoiser<C> | ParametricModel<P, C>;

/** @throws ValueError for what is neither a denoiser nor a network with parameters. */
export function requireModel(owner: string, model: unknown): void {
  const { network, predict, schedule } = (model ?? {}) as Record<string, unknown>;
  if (typeof network === "function" || (typeof predict === "function" && schedule !== undefined)) return;
  throw new ValueError(
    `${owner}: the model is neither a denoiser { prediction, schedule, predict } nor { network, params }, network a function of params`,
  );
}

/** What gradients are wanted of, beside the noise. */
export interface Wanted {
  /** The condition. Default: where there is one. */
  readonly condition?: boolean;
  /** The parameters. Default: where the model has some. */
  readonly params?: boolean;
}

/** What a noise prediction hands back for a cotangent. */
export interface Pulled<P, C> {
  /** The noise itself. */
  readonly noise: Tensor;
  /** For the state. */
  readonly z: Tensor;
  /** For the condition; null where it is not wanted. */
  readonly condition: C | null;
  /** For the parameters; null where they are not wanted. */
  readonly params: P | null;
}

/** A model ready to be called at levels of numbers. */
export interface Calls<P, C> {
  /** The predicted noise. */
  noise(z: Tensor, level: Level, condition: C | undefined): Promise<Tensor>;
  /** The noise and its vector-Jacobian products: one call. */
  pulled(
    z: Tensor,
    level: Level,
    condition: C | undefined,
    cotangent: Tensor,
    wanted: Required<Wanted>,
  ): Promise<Pulled<P, C>>;
}

/** Whether a model has parameters. */
export function isParametric<P, C>(model: AdjointModel<P, C>): model is ParametricModel<P, C> {
  return "network" in model;
}

/** What is compiled is kept for it: the network, whatever its parameters; an object of a class, which shares its methods, itself. */
export function keptBy<P, C>(model: AdjointModel<P, C>): object {
  return isParametric(model) && Object.hasOwn(model, "network") ? model.network : model;
}

/** The denoiser of a model as it is. */
export function denoiserOf<P, C>(model: AdjointModel<P, C>): Denoiser<C> {
  return isParametric(model) ? model.network(model.params) : model;
}

type Makers = Map<Backend | undefined, (params: never) => Calls<never, never>>;
const known = new WeakMap<object, Makers>();

/** The calls of a model, compiled once for a network whatever its parameters. */
export function callsOf<P, C>(owner: string, model: AdjointModel<P, C>, backend: Backend | undefined): Calls<P, C> {
  const denoiser = denoiserOf(model);
  if (denoiser.external) return externalCalls<P, C>(owner, denoiser);
  const key = keptBy(model);
  const kept: Makers = known.get(key) ?? new Map();
  known.set(key, kept);
  const made =
    (kept.get(backend) as ((params: P | null) => Calls<P, C>) | undefined) ?? tracedCalls<P, C>(model, backend);
  kept.set(backend, made as never);
  return made(isParametric(model) ? model.params : null);
}

interface Inputs<P, C> {
  readonly z: Tensor;
  readonly condition: C | undefined;
  readonly params: P | null;
}

function tracedCalls<P, C>(model: AdjointModel<P, C>, backend: Backend | undefined): (params: P | null) => Calls<P, C> {
  const of = (params: P | null): Denoiser<C> => (isParametric(model) ? model.network(params as P) : model);
  const options = backend ? { backend } : {};
  const predict = ({ z, condition, params }: Inputs<P, C>, level: LevelTensors) =>
    predictAs(of(params), "noise", z, level, condition);
  const noise = jit(predict, options);
  // Trees of what is differentiated and of what is not: a gradient that nobody wants is not computed.
  const pull = jit(
    (chosen: Partial<Inputs<P, C>>, rest: Partial<Inputs<P, C>>, level: LevelTensors, cotangent: Tensor) => {
      const [output, pullback] = vjp(
        (inputs: Partial<Inputs<P, C>>) => predict({ ...rest, ...inputs } as Inputs<P, C>, level),
        chosen,
      );
      return { noise: output, gradients: pullback(cotangent)[0] };
    },
    options,
  );
  return (params) => ({
    noise: async (z, level, condition) =>
      (await noise({ z, condition, params }, levelTensors(level, z.dtype as "float64"))).host(),
    async pulled(z, level, condition, cotangent, wanted) {
      const chosen = { z, ...(wanted.condition && { condition }), ...(wanted.params && { params }) };
      const rest = { ...(!wanted.condition && { condition }), ...(!wanted.params && { params }) };
      const { noise: output, gradients } = await pull(
        chosen,
        rest,
        levelTensors(level, z.dtype as "float64"),
        cotangent,
      );
      return {
        noise: output,
        z: gradients.z as Tensor,
        condition: (gradients.condition as C | undefined) ?? null,
        params: (gradients.params as P | undefined) ?? null,
      };
    },
  });
}

function externalCalls<P, C>(owner: string, denoiser: Denoiser<C>): Calls<P, C> {
  return {
    async noise(z, level, condition) {
      const at = levelTensors(level);
      return convertPrediction(await denoiser.predict(z, at, condition), denoiser.prediction, "noise", z, at);
    },
    async pulled(z, level, condition, cotangent, wanted) {
      const { noise, pull } = await noiseWithPullback(owner, denoiser, z, levelTensors(level), condition);
      const gradients = await pull(cotangent);
      if (wanted.condition && gradients.condition === undefined) {
        throw new UnsupportedError(
          `${owner}: the vjp of the denoiser gives no gradient of the condition; give one, or want { condition: false }`,
        );
      }
      return {
        noise,
        z: gradients.z,
        condition: wanted.condition ? (gradients.condition ?? null) : null,
        params: null,
      };
    },
  };
}
