import { readSafetensors, writeSafetensors } from "@offprint/data";
import { checkOptions, FormatError, type Tensor, tree, ValueError } from "@offprint/tensor-core";
import type { LpnConfig } from "./architecture.js";
import { isLpn, type Lpn, type LpnParams, lpn } from "./network.js";
import { endsOf, type NoiseLevel } from "./noise-level.js";

const FORMAT = "offprint lpn 1";

/** A trained network as it is saved. */
export interface SavedLpn {
  /** The network. */
  readonly model: Lpn;
  /** Its parameters. */
  readonly params: LpnParams;
  /** Standard deviation of the noise that it was trained for. */
  readonly sigma?: NoiseLevel;
}

/** The bytes of a safetensors file with the parameters, and the configuration in its header. @throws ValueError, ShapeError */
export function saveLpn(savedLpn: SavedLpn): Uint8Array {
  checkOptions("saveLpn", savedLpn, ["model", "params", "sigma"], ["model", "params"]);
  const { model, params, sigma } = savedLpn;
  if (!isLpn(model)) throw new ValueError("saveLpn: model is no network of lpn; give one, such as that of fitProximal");
  if (sigma !== undefined) endsOf("saveLpn", sigma);
  model.assertConvex(params);
  const paths = tree.paths(params);
  const tensors = Object.fromEntries(tree.leaves<Tensor>(params).map((leaf, i) => [paths[i], leaf]));
  return writeSafetensors(tensors, {
    metadata: { format: FORMAT, model: JSON.stringify({ config: model.config, sigma }) },
  });
}

/** The network of a file that {@link saveLpn} wrote. @throws FormatError for other files, and damaged ones. */
export function loadLpn(bytes: Uint8Array): SavedLpn {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== FORMAT) {
    throw new FormatError(`loadLpn: the file is not marked "${FORMAT}"; give a file that saveLpn wrote`);
  }
  try {
    const { config, sigma } = JSON.parse(metadata.model) as { config: LpnConfig; sigma?: SavedLpn["sigma"] };
    const model = lpn(config);
    const layers = model.layers;
    const params: LpnParams = {
      skips: Array.from({ length: layers }, (_, k) => ({
        weight: tensors[`skips.${k}.weight`],
        bias: tensors[`skips.${k}.bias`],
      })),
      convex: Array.from({ length: layers }, (_, k) => tensors[`convex.${k}`]),
      linear: tensors.linear,
      constant: tensors.constant,
    };
    model.assertConvex(params);
    if (sigma !== undefined) endsOf("loadLpn", sigma);
    return { model, params, ...(sigma !== undefined && { sigma }) };
  } catch (cause) {
    throw new FormatError(`loadLpn: the network in the file is incomplete: ${(cause as Error).message}`, { cause });
  }
}
