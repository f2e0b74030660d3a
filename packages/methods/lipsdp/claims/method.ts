import { type LipschitzOptions, lipschitzBound, type Network } from "../src/index.js";

/** What a claim is about; tests put a baseline or a broken variant in its place. */
export type Bounder = (network: Network, options: LipschitzOptions) => number | Promise<number>;

/** The certified bound itself. */
export const published: Bounder = async (network, options) => (await lipschitzBound(network, options)).value;

/** The sheet's deterministic weights: sin(1.7 (i+1) + 2.3 (j+1) + 0.5 (k+1)(i+1)(j+1)) / sqrt(fan-in). */
export function deterministicWeights(dims: readonly number[], first = 1.7, second = 2.3): number[][][] {
  return dims
    .slice(1)
    .map((rows, k) =>
      Array.from({ length: rows }, (_, i) =>
        Array.from(
          { length: dims[k] },
          (_, j) =>
            Math.sin(first * (i + 1) + second * (j + 1) + 0.5 * (k + 1) * (i + 1) * (j + 1)) / Math.sqrt(dims[k]),
        ),
      ),
    );
}

/** Layers with these weights. */
export function deterministicLayers(dims: readonly number[]): { weight: number[][] }[] {
  return deterministicWeights(dims).map((weight) => ({ weight }));
}

/** Whether a certified value is the exact optimum: not below it, and at most `slack` above. */
export function tight(value: number, exact: number, slack = 1e-3): boolean {
  // The reference values have seven digits.
  return value >= exact - 1e-6 && value <= exact + slack;
}
