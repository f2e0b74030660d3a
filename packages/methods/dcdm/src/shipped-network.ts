import { readAsset } from "@offprint/data";
import { loadParameters } from "@offprint/nn";
import { random } from "@offprint/tensor-core";
import { networkAddress } from "#network";
import { type DirectionNetwork, type DirectionParams, directionNetwork } from "./direction-network.js";

/**
 * The network that ships: the paper's small one in the plane with 8 filters, trained on the pressure matrix of an empty box of
 * 32 x 32 cells, open at its sides.
 *
 * @throws ValueError where its file cannot be read.
 * @example
 * const { network, params } = await shippedNetwork();
 * const { x } = await dcdm(matrix, b, directionsBy(network, params, [64, 64]));
 */
export async function shippedNetwork(): Promise<{ network: DirectionNetwork; params: DirectionParams }> {
  const network = directionNetwork({ dimension: 2, filters: 8 });
  const bytes = await readAsset(networkAddress);
  return { network, params: loadParameters(bytes, network.init(random.rng(0))) };
}
