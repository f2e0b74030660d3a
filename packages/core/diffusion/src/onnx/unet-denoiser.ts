import type { OnnxModel, OnnxValue } from "@offprint/language/huggingface";
import {
  broadcastTo,
  checkOptions,
  expandDims,
  isTensor,
  requireObject,
  round,
  ShapeError,
  type Tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import type { Denoiser } from "../denoiser.js";
import type { LevelTensors } from "../level.js";
import type { Prediction } from "../prediction.js";
import type { NoiseSchedule } from "../schedule.js";

/** What an exported network is told beside states and times: `encoder_hidden_states`, or tensors by the names of inputs. */
export type NetworkCondition = Tensor | Readonly<Record<string, Tensor>>;

/** Options of {@link unetDenoiser}. */
export interface UnetOptions {
  /** The noise that the network was trained with. */
  readonly schedule: NoiseSchedule;
  /** What it says. Default `"noise"`. */
  readonly prediction?: Prediction;
  /** Name of the input of states. Default `sample`, or the input of rank 4, or the first. */
  readonly sample?: string;
  /** Name of the input of times. Default `timestep`, or the input of rank 0 or 1. */
  readonly timestep?: string;
  /** Name of the output. Default `out_sample`, or the first. */
  readonly output?: string;
  /**
   * A file with the gradient beside it, for methods that differentiate: the same inputs and `cotangent` in, `gradient_sample`
   * and `gradient_encoder_hidden_states` (where there is a condition) out.
   */
  readonly gradient?: OnnxModel;
}

/**
 * A denoiser of an exported network: latent or pixel U-Nets as diffusers and optimum write them, with integer or floating times, `[]` or
 * `[batch]`, in single or half precision.
 * @param model a loaded file: `loadModel` of `@offprint/onnx-runtime`
 * @throws ValueError where an input or output cannot be found.
 * @example const denoiser = unetDenoiser(await loadModel("unet/model.onnx"), { schedule: discreteSchedule({ betas: "scaledLinear" }) });
 */
export function unetDenoiser(model: OnnxModel, options: UnetOptions): Denoiser<NetworkCondition> {
  requireObject("unetDenoiser", "model", model, "an OnnxModel");
  checkOptions(
    "unetDenoiser",
    options,
    ["schedule", "prediction", "sample", "timestep", "output", "gradient"],
    ["schedule"],
  );
  const { schedule, prediction = "noise", gradient } = options;
  const sample = inputOf(model, options.sample, "sample", (value) => value.shape.length === 4) ?? model.inputs[0];
  const timestep = inputOf(
    model,
    options.timestep,
    "timestep",
    ({ shape, name }) => shape.length < 2 && name !== sample.name,
  );
  if (sample === undefined || timestep === undefined) {
    throw new ValueError(
      `unetDenoiser: the model has inputs ${listed(model.inputs)}; say which are sample and timestep`,
    );
  }
  const output = options.output ?? (has(model.outputs, "out_sample") ? "out_sample" : model.outputs[0]?.name);
  if (output === undefined || !has(model.outputs, output)) {
    throw new ValueError(`unetDenoiser: there is no output "${output}"; there are ${listed(model.outputs)}`);
  }
  const others = model.inputs.filter(({ name }) => name !== sample.name && name !== timestep.name);
  const feeds = (z: Tensor, level: LevelTensors, condition: NetworkCondition | undefined) => ({
    [sample.name]: z.cast("float32"),
    [timestep.name]: timeFeed(timestep, level.timestep, z.shape[0]),
    ...conditionFeeds(others, condition, z.shape[0]),
  });
  return {
    prediction,
    schedule,
    external: true,
    async predict(z, level, condition) {
      const results = await model.run(feeds(z, level, condition));
      return results[output].cast(z.dtype);
    },
    ...(gradient && {
      async vjp(z: Tensor, level: LevelTensors, condition: NetworkCondition | undefined, cotangent: Tensor) {
        const results = await gradient.run({ ...feeds(z, level, condition), cotangent: cotangent.cast("float32") });
        const { gradient_sample: ofState, gradient_encoder_hidden_states: ofCondition } = results;
        if (ofState === undefined) {
          throw new ValueError(
            `unetDenoiser: the file of gradients has no output gradient_sample; it has ${Object.keys(results)}`,
          );
        }
        return { z: ofState.cast(z.dtype), ...(ofCondition && { condition: ofCondition.cast(z.dtype) }) };
      },
    }),
  };
}

function listed(values: readonly OnnxValue[]): string {
  return values.map(({ name, type, shape }) => `${name}: ${type}[${shape}]`).join(", ");
}

function has(values: readonly OnnxValue[], name: string): boolean {
  return values.some((value) => value.name === name);
}

function inputOf(
  { inputs }: OnnxModel,
  chosen: string | undefined,
  usual: string,
  fits: (value: OnnxValue) => boolean,
): OnnxValue | undefined {
  if (chosen === undefined) return inputs.find(({ name }) => name === usual) ?? inputs.find(fits);
  const found = inputs.find(({ name }) => name === chosen);
  if (found === undefined)
    throw new ValueError(`unetDenoiser: there is no input "${chosen}"; there are ${listed(inputs)}`);
  return found;
}

/** The time as the file wants it: one number or one a sample, whole where it is an integer. */
function timeFeed({ type, shape }: OnnxValue, timestep: Tensor, batch: number): Tensor {
  const wide = timestep.cast("float64");
  const number = /int/.test(type) ? round(wide).cast("int32") : wide.cast("float32");
  if (shape.length === 0) {
    if (number.rank === 0) return number;
    throw new UnsupportedError(
      "unetDenoiser: the model takes one time for all samples; give one level, or export it with timestep [batch]",
    );
  }
  const one = number.rank === 0 ? expandDims(number, 0) : number;
  return shape[0] === 1 ? one : broadcastTo(one, [batch]);
}

function conditionFeeds(
  inputs: readonly OnnxValue[],
  condition: NetworkCondition | undefined,
  batch: number,
): Record<string, Tensor> {
  const named: Readonly<Record<string, Tensor>> =
    condition === undefined ? {} : isTensor(condition) ? { [nameOfCondition(inputs)]: condition } : condition;
  return Object.fromEntries(
    inputs.map(({ name }) => {
      const given = named[name];
      if (given === undefined)
        throw new ValueError(`unetDenoiser: the model also takes "${name}"; give it in the condition`);
      if (given.shape[0] !== batch && given.shape[0] !== 1) {
        throw new ShapeError(`unetDenoiser: the condition "${name}" has shape [${given.shape}] for ${batch} samples`);
      }
      return [name, broadcastTo(given, [batch, ...given.shape.slice(1)])];
    }),
  );
}

function nameOfCondition(inputs: readonly OnnxValue[]): string {
  if (inputs.length === 1 || has(inputs, "encoder_hidden_states")) {
    return has(inputs, "encoder_hidden_states") ? "encoder_hidden_states" : inputs[0].name;
  }
  if (inputs.length === 0) throw new ValueError("unetDenoiser: the model takes no condition; leave it out");
  throw new ValueError(`unetDenoiser: the model takes ${listed(inputs)}; give the condition as tensors by these names`);
}
