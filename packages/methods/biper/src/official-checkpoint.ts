import { readSafetensors } from "@offprint/data";
import { cast, FormatError, random, reshape, swapAxes, type Tensor, tree } from "@offprint/tensor-core";
import type { ImageNetwork } from "./architectures/image-network.js";
import type { TrainedNetwork } from "./trained-network.js";
import type { Stage } from "./weight-rules.js";

/** Names of our wrappers, which the official modules do not have. */
const wrappers = new Set(["first", "second", "block", "body"]);

const renamed: Readonly<Record<string, string>> = {
  scale: "weight",
  mean: "running_mean",
  variance: "running_var",
};

/** The official name of a leaf at one of our paths; `downsample` where ImageNet networks say so. */
function officialNames(path: string): string[] {
  const segments = path.split(".").filter((segment) => !wrappers.has(segment));
  const last = segments[segments.length - 1];
  const name = [...segments.slice(0, -1), renamed[last] ?? last].join(".");
  return [name, name.replace(".shortcut.", ".downsample.")];
}

function fitted(found: Tensor, like: Tensor, name: string): Tensor {
  // PyTorch's linear weights are [outputs, inputs], ours [inputs, outputs]; its alpha is [outputs, 1, 1].
  const linear = found.rank === 2 && like.rank === 2 && /(linear|fc)\.weight$/.test(name);
  const turned = linear ? swapAxes(found, 0, 1) : found;
  const value = turned.rank > like.rank && turned.size === like.size ? reshape(turned, like.shape) : turned;
  if (value.shape.join() !== like.shape.join()) {
    const needed = linear ? like.shape.slice().reverse() : like.shape;
    throw new FormatError(
      `loadOfficialCheckpoint: ${name} is [${found.shape}]; the network needs [${needed}]: is it of this size?`,
    );
  }
  return cast(value, like.dtype);
}

/**
 * Parameters from a safetensors file with the names and layouts of the authors' PyTorch models (`layer1.0.conv1.weight`,
 * `layer1.0.conv1.alpha`, `bn1.running_mean`, ...), as made by `save_file(state_dict, path)`. Tensors that the network does
 * not have, such as `beta` and `tau`, are left out.
 * @param network `resnet20()`, `resnet18()` and the like
 * @param stage which of the two trainings the checkpoint is of
 * @throws FormatError where a tensor is missing or has another shape, or the file is damaged.
 */
export function loadOfficialCheckpoint(bytes: Uint8Array, network: ImageNetwork, stage: Stage): TrainedNetwork {
  const { tensors } = readSafetensors(bytes);
  const read = (like: unknown) => {
    const paths = tree.paths(like);
    let next = 0;
    return tree.map((leaf: Tensor) => {
      const names = officialNames(paths[next++]);
      const name = names.find((each) => Object.hasOwn(tensors, each));
      if (name === undefined) {
        throw new FormatError(`loadOfficialCheckpoint: the file has no tensor ${names[0]}; is it of this network?`);
      }
      return fitted(tensors[name], leaf, name);
    }, like);
  };
  return { network, params: read(network.init(random.rng(0))), state: read(network.initState()), stage };
}
