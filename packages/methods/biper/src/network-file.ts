import { readSafetensors } from "@offprint/data";
import { drawParameters, loadParameters, saveParameters } from "@offprint/nn";
import {
  checkOptions,
  FormatError,
  OffprintError,
  random,
  requireObject,
  UnsupportedError,
} from "@offprint/tensor-core";
import type { NetworkDescription } from "./architectures/image-network.js";
import { networkFrom } from "./architectures/named.js";
import { type NetworkPart, requireNetwork } from "./network-part.js";
import type { TrainedNetwork } from "./trained-network.js";

const FORMAT = "offprint biper network 1";

/** Options of `saveNetwork`. */
export interface SaveOptions {
  /** Texts to keep in the file, such as names of classes. */
  metadata?: Readonly<Record<string, string>>;
}

function descriptionOf(network: object): NetworkDescription | null {
  return "description" in network ? (network.description as NetworkDescription | null) : null;
}

/**
 * The bytes of a safetensors file with parameters and running statistics of a trained network, its stage, and for networks
 * of this package what they were made from.
 */
export function saveNetwork<P, S>(model: TrainedNetwork<P, S>, options: SaveOptions = {}): Uint8Array {
  requireObject("saveNetwork", "model", model, "a TrainedNetwork");
  checkOptions("saveNetwork", options, ["metadata"]);
  const { network, params, state, stage } = model;
  requireNetwork("saveNetwork", network, []);
  const description = descriptionOf(network);
  return saveParameters(
    { params, state },
    {
      ...options.metadata,
      format: FORMAT,
      stage: String(stage),
      ...(description && { network: JSON.stringify(description) }),
    },
  );
}

/** A trained network with the texts of its file. */
export interface LoadedNetwork extends TrainedNetwork {
  /** What `saveNetwork` was given. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The trained network of a file that `saveNetwork` wrote.
 * @param network needed for networks of your own, which the file does not describe
 * @throws FormatError for other files, damaged ones, and networks that the file does not fit; UnsupportedError where
 * `network` is needed.
 */
export function loadNetwork(bytes: Uint8Array, network?: NetworkPart): LoadedNetwork {
  const { metadata } = readSafetensors(bytes);
  const { format, stage, network: description, ...rest } = metadata;
  if (format !== FORMAT || (stage !== "1" && stage !== "2")) {
    throw new FormatError(`loadNetwork: the file is not marked "${FORMAT}"; give one that saveNetwork wrote`);
  }
  const whole = network ?? described(description);
  // A network of the user's own has the size that the user gave it.
  const drawn = network ? network.init(random.rng(0)) : drawParameters(bytes, (rng) => whole.init(rng));
  const like = { params: drawn, state: whole.initState() };
  const { params, state } = loadParameters(bytes, like);
  return { network: whole, params, state, stage: stage === "1" ? 1 : 2, metadata: rest };
}

function described(description: string | undefined): NetworkPart {
  if (description === undefined) {
    throw new UnsupportedError("loadNetwork: the file is of a network of your own; give the network too");
  }
  let parsed: NetworkDescription;
  try {
    parsed = JSON.parse(description);
  } catch (cause) {
    throw new FormatError("loadNetwork: the description of the network is not JSON; the file is damaged", { cause });
  }
  if (typeof parsed !== "object" || parsed === null) {
    throw new FormatError("loadNetwork: the description of the network is no object; the file is damaged");
  }
  try {
    return networkFrom(parsed);
  } catch (cause) {
    if (!(cause instanceof OffprintError) || cause instanceof FormatError) throw cause;
    throw new FormatError(`loadNetwork: the file describes no network: ${cause.message}`, { cause });
  }
}
