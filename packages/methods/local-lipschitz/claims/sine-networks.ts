import { activation, type FeedForward, perceptron } from "@offprint/networks";
import { type Box, boxAround } from "../src/index.js";

/** Networks of sines, without chance: `W_k[i][j] = 1.2 sqrt(2 / in) sin(1.7 (i + 1) + 2.3 (j + 1) + 0.5 (k + 1)(i + 1)(j + 1))`. */
export function sineNetwork(
  dims: readonly number[],
  kind: "relu" | "tanh" | "sigmoid" | "leakyRelu" = "relu",
): FeedForward {
  const layers = dims.slice(1).map((rows, k) => {
    const columns = dims[k];
    const weight = Array.from({ length: rows }, (_, i) =>
      Array.from(
        { length: columns },
        (_, j) =>
          1.2 * Math.sqrt(2 / columns) * Math.sin(1.7 * (i + 1) + 2.3 * (j + 1) + 0.5 * (k + 1) * (i + 1) * (j + 1)),
      ),
    );
    return { weight, bias: Array.from({ length: rows }, (_, i) => 0.1 * Math.sin(3 * (i + 1) + k + 1)) };
  });
  return perceptron(layers, activation(kind));
}

/** The box around the point of sines. */
export function sineBox(inputs: number, eps: number): Box {
  return boxAround(
    Array.from({ length: inputs }, (_, j) => Math.sin(j + 1)),
    eps,
  );
}

/** Figures of a network, a box and a row, as prototypes of the method have them. */
export interface KnownBounds {
  readonly dims: readonly number[];
  readonly eps: number;
  readonly row: number;
  readonly exact?: number;
  readonly branched: number;
  readonly domains: number;
  readonly linear: number;
  readonly recurjac: number;
  readonly fastlip: number;
  readonly interval: number;
}

/** What is known, to six digits behind the point. */
export const knownBounds: readonly KnownBounds[] = [
  {
    ...{ dims: [6, 10, 10, 3], eps: 0.05, row: 0, exact: 2.307786, branched: 2.307786, domains: 9 },
    ...{ linear: 2.771895, recurjac: 3.093282, fastlip: 3.333028, interval: 5.06789 },
  },
  {
    ...{ dims: [6, 10, 10, 3], eps: 0.05, row: 1, exact: 2.025466, branched: 2.025466, domains: 9 },
    ...{ linear: 2.546129, recurjac: 2.835439, fastlip: 3.131196, interval: 4.722749 },
  },
  {
    ...{ dims: [6, 10, 10, 3], eps: 0.2, row: 0, exact: 2.859571, branched: 3.510446, domains: 89 },
    ...{ linear: 6.256239, recurjac: 9.102157, fastlip: 10.327004, interval: 12.183974 },
  },
  {
    ...{ dims: [6, 10, 10, 3], eps: 0.5, row: 2, branched: 4.260197, domains: 677 },
    ...{ linear: 8.376616, recurjac: 13.394833, fastlip: 14.07862, interval: 14.07862 },
  },
  {
    ...{ dims: [8, 16, 16, 16, 2], eps: 0.05, row: 0, exact: 1.558964, branched: 1.721202, domains: 11 },
    ...{ linear: 1.873124, recurjac: 2.329408, fastlip: 2.374266, interval: 16.78974 },
  },
  {
    ...{ dims: [8, 16, 16, 16, 2], eps: 0.1, row: 0, exact: 2.177458, branched: 2.513479, domains: 63 },
    ...{ linear: 3.834438, recurjac: 6.84344, fastlip: 10.069073, interval: 28.823947 },
  },
];
