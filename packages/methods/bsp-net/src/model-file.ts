import { readSafetensors } from "@offprint/data";
import { drawParameters, loadParameters, saveParameters } from "@offprint/nn";
import { FormatError, random, requireObject } from "@offprint/tensor-core";
import { bspAutoEncoder } from "./auto-encoder.js";
import type { Phase } from "./phase.js";
import type { TrainedModel } from "./trained-shapes.js";

const FORMAT = "offprint bsp-net 1";

/**
 * The bytes of a safetensors file with a trained model: parameters, options and phase. An encoder of your own is not
 * described in it; give it again when loading.
 */
export function saveModel(trainedModel: TrainedModel): Uint8Array {
  requireObject("saveModel", "trainedModel", trainedModel, "a TrainedModel");
  const { model, params, phase } = trainedModel;
  return saveParameters(params, { format: FORMAT, options: JSON.stringify(model.options), phase: String(phase) });
}

/**
 * The model of a file that `saveModel` wrote.
 * @param encoder of a model with an encoder of its own
 * @throws FormatError for other files.
 */
export function loadModel(bytes: Uint8Array, encoder?: Parameters<typeof bspAutoEncoder>[0]["encoder"]): TrainedModel {
  const { metadata } = readSafetensors(bytes);
  if (metadata?.format !== FORMAT) {
    throw new FormatError(`loadModel: the file is not marked "${FORMAT}"; give a file that saveModel wrote`);
  }
  const phase = Number(metadata.phase) as Phase;
  let model: TrainedModel["model"];
  try {
    const { beta, ...options } = JSON.parse(metadata.options);
    // older files have a beta beside models that are not variational, too
    model = bspAutoEncoder({ ...options, ...(options.variational && { beta }), ...(encoder && { encoder }) });
  } catch (cause) {
    throw new FormatError(`loadModel: the file's options describe no model: ${(cause as Error).message}`, { cause });
  }
  if (![0, 1, 2, 3, 4].includes(phase)) throw new FormatError(`loadModel: the file's phase is "${metadata.phase}"`);
  const drawn = encoder ? model.init(random.rng(0)) : drawParameters(bytes, (rng) => model.init(rng));
  return { model, params: loadParameters(bytes, drawn), phase };
}
