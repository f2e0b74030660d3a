import { UnsupportedError } from "@offprint/tensor-core";
import { checkNetwork, type Network } from "./network.js";
import { groupPatterns } from "./neuron-group.js";
import { largerNorm, layerGroups, patternJacobian } from "./pattern-jacobian.js";
import type { NormPair } from "./product-bound.js";

/**
 * The largest norm of the network's Jacobian over all combinations of the linear maps that its activations can be (FGL):
 * permutations of sorted groups, reflections or not, extreme slopes. An upper bound, exact (to rounding) if every
 * combination occurs, as it does for two layers in general position. The number of combinations is exponential.
 *
 * @param options.limit most combinations that are tried; default 2^20
 * @throws UnsupportedError where there are more
 */
export function enumerationBound(network: Network, options: { norm?: NormPair; limit?: number } = {}): number {
  const { norm = "l2", limit = 2 ** 20 } = options;
  const checked = checkNetwork(network);
  const choices = checked.groups.map(groupPatterns);
  const count = choices.reduce((product, patterns) => product * patterns.length, 1);
  if (!(count <= limit)) {
    throw new UnsupportedError(
      `enumerationBound: the network has ${count.toExponential(1)} activation patterns, more than the limit ${limit}; ` +
        "use lipschitzBound",
    );
  }
  const layers = layerGroups(checked);
  const starts: number[] = [];
  layers.reduce((start, { groups }) => {
    starts.push(start);
    return start + groups.length;
  }, 0);
  const digits = new Int32Array(choices.length);
  let largest = 0;
  for (let n = 0; n < count; n++) {
    const J = patternJacobian(checked, (layer) =>
      layers[layer].groups.map((_, k) => choices[starts[layer] + k][digits[starts[layer] + k]]),
    );
    largest = largerNorm(J, norm, largest);
    for (let g = 0; g < digits.length; g++) {
      digits[g]++;
      if (digits[g] < choices[g].length) break;
      digits[g] = 0;
    }
  }
  return largest;
}
