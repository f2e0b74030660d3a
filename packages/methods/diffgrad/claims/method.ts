import type { GradientTransformation } from "@offprint/optim";
import { type DiffGradOptions, diffGrad } from "../src/index.js";

/** The method that a claim is about; tests put a baseline or a broken variant in its place. */
export type Method = (options: DiffGradOptions) => GradientTransformation;

/** diffGrad itself. */
export const published: Method = diffGrad;
