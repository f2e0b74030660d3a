import {
  type Level,
  type LevelTensors,
  levelTensors,
  predictAs,
  prepareSampling,
  samplerNames,
} from "@offprint/diffusion";
import { type Tableau, tableaus } from "@offprint/ode";
import { makeBreather } from "@offprint/solvers";
import {
  add,
  type Backend,
  checkOptions,
  jit,
  mul,
  requireChoice,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  UnsupportedError,
  vjp,
} from "@offprint/tensor-core";
import { usualGrid } from "./adjoint-sample.js";
import { reparametrised } from "./field.js";
import { type AdjointModel, denoiserOf, isParametric, keptBy, requireModel } from "./model.js";
import { treeBytes } from "./ode-step.js";
import { lossAndSlope, requireLoss, type SampleLoss } from "./sample-loss.js";
import { treeCombination } from "./tree-combination.js";
import type { ValueAndGradient, ValueAndGradientOptions } from "./value-and-gradient.js";

/** Options of {@link backpropGradient}. */
export interface BackpropOptions<C = Tensor>
  extends Pick<
    ValueAndGradientOptions<C>,
    "steps" | "levels" | "spacing" | "condition" | "backend" | "signal" | "clean" | "offset" | "rho" | "dtype"
  > {
  /** Default `"rk4"`. */
  readonly solver?: "euler" | "midpoint" | "heun" | "rk4";
}

/** What {@link backpropGradient} gives. */
export interface BackpropGradient<P, C> extends Omit<ValueAndGradient<P, C>, "reverseDrift" | "status"> {
  /** Bytes of the states that were kept: they grow with the number of steps. */
  readonly tapeBytes: number;
}

const methods: Readonly<Record<string, Tableau>> = {
  euler: tableaus.euler,
  midpoint: tableaus.midpoint,
  heun: tableaus.heunEuler,
  rk4: tableaus.rk4,
};

interface StepInputs<P, C> {
  readonly y: Tensor;
  readonly condition: C | undefined;
  readonly params: P | null;
}

interface CompiledSteps<P, C> {
  readonly forward: (inputs: StepInputs<P, C>, stages: LevelTensors[], h: Tensor) => Promise<Tensor>;
  readonly backward: (
    inputs: StepInputs<P, C>,
    stages: LevelTensors[],
    h: Tensor,
    cotangent: Tensor,
  ) => Promise<StepInputs<P, C>>;
}

const known = new WeakMap<object, Map<string, readonly [Backend | undefined, CompiledSteps<never, never>]>>();

/** A step and its vector-Jacobian product, compiled once for a network. */
function compiledSteps<P, C>(
  model: AdjointModel<P, C>,
  solver: string,
  backend: Backend | undefined,
): CompiledSteps<P, C> {
  const key = keptBy(model);
  const kept = known.get(key) ?? new Map<string, readonly [Backend | undefined, CompiledSteps<never, never>]>();
  known.set(key, kept);
  const found = kept.get(solver);
  if (found !== undefined && found[0] === backend) return found[1] as unknown as CompiledSteps<P, C>;
  const tableau = methods[solver];
  const denoise = (own: P | null) => (isParametric(model) ? model.network(own as P) : model);
  const step = ({ y, condition: told, params: own }: StepInputs<P, C>, stages: LevelTensors[], h: Tensor): Tensor => {
    const rates: Tensor[] = [];
    const along = (weights: readonly number[]) =>
      weights.reduce((sum, w, j) => (w === 0 ? sum : add(sum, mul(mul(rates[j], h), w))), y);
    [[], ...tableau.stages].forEach((row, i) => {
      rates.push(predictAs(denoise(own), "noise", mul(along(row), stages[i].alpha), stages[i], told));
    });
    return along(tableau.weights);
  };
  const compile = backend ? { backend } : {};
  const forward = jit(step, compile);
  const backward = jit((inputs: StepInputs<P, C>, stages: LevelTensors[], h: Tensor, cotangent: Tensor) => {
    const [, pullback] = vjp((at: StepInputs<P, C>) => step(at, stages, h), inputs);
    return pullback(cotangent)[0] as StepInputs<P, C>;
  }, compile);
  const made = { forward, backward };
  kept.set(solver, [backend, made as unknown as CompiledSteps<never, never>]);
  return made;
}

/**
 * The exact gradient of the discretised sampler, a baseline: reverse mode through its steps, whose states are all kept; what happens inside a step is
 * computed again on the way back.
 * @throws UnsupportedError for an external denoiser.
 */
export async function backpropGradient<P = null, C = Tensor>(
  model: AdjointModel<P, C>,
  loss: SampleLoss,
  initial: TensorLike,
  options: BackpropOptions<C> = {},
): Promise<BackpropGradient<P, C>> {
  requireModel("backpropGradient", model);
  requireLoss("backpropGradient", loss);
  const owner = "backpropGradient";
  checkOptions(owner, options, [...samplerNames, "solver"]);
  const denoiser = denoiserOf(model);
  if (denoiser.external)
    throw new UnsupportedError(
      `${owner}: the denoiser is external; only operations of tensors can be traced through a step`,
    );
  const { solver = "rk4", condition, backend } = options;
  requireChoice(owner, "solver", solver, Object.keys(methods));
  const { solver: _, ...sampler } = options;
  const { levels, z } = prepareSampling(owner, denoiser, initial, usualGrid(owner, denoiser, sampler));
  const tableau = methods[solver];
  const form = reparametrised(denoiser.schedule);
  const params = isParametric(model) ? model.params : null;
  const { forward, backward } = compiledSteps(model, solver, backend);
  const top = levels.length - 1;
  const places = (i: number) => {
    const [from, to] = [form.time(levels[i]), form.time(levels[i - 1])];
    const stages: Level[] = tableau.nodes.map((node) => form.point(node === 1 ? to : from + node * (to - from)).level);
    const type = z.dtype as "float64";
    return { stages: stages.map((level) => levelTensors(level, type)), h: tensor(to - from, { dtype: type }) };
  };
  const breather = makeBreather();
  const kept: Tensor[] = [treeCombination([1 / levels[top].alpha], [z])];
  for (let i = top; i > 0; i--) {
    const { stages, h } = places(i);
    kept.push(await forward({ y: kept[top - i], condition, params }, stages, h));
    if (breather.due()) await breather.pause();
  }
  const x = treeCombination([levels[0].alpha], [kept[top]]);
  const [value, slope] = await lossAndSlope(loss)(x);
  let cotangent = treeCombination([levels[0].alpha], [slope]);
  let gathered: { condition: C | undefined; params: P | null } | undefined;
  for (let i = 1; i <= top; i++) {
    const { stages, h } = places(i);
    const { y, ...rest } = await backward({ y: kept[top - i], condition, params }, stages, h, cotangent);
    cotangent = y;
    gathered =
      gathered === undefined || tree.leaves(rest).length === 0 ? rest : treeCombination([1, 1], [gathered, rest]);
    if (breather.due()) await breather.pause();
  }
  const stages = tableau.nodes.length;
  return {
    value,
    x,
    noise: treeCombination([1 / levels[top].alpha], [cotangent]),
    condition: gathered?.condition,
    params: isParametric(model) ? (gathered?.params as P) : undefined,
    calls: 2 * stages * top,
    tapeBytes: treeBytes(kept),
  };
}
