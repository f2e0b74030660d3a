import { readAsset } from "@offprint/data";
import { loadParameters } from "@offprint/nn";
import { assetAddress } from "#assets";

/** Networks that ship, by what they do, attention and seed, as safetensors files of float16. */
export function assetName(task: "digits" | "denoising", attention: string, seed: number): string {
  return `${task}-${attention.toLowerCase().replaceAll(" ", "-").replaceAll("+", "p")}-${seed}.safetensors`;
}

/** A network that was trained before: the tree `like` with the values of a file. */
export async function shippedNetwork<P>(asset: string, like: P): Promise<P> {
  return loadParameters(await readAsset(assetAddress(asset)), like);
}
