export { type BlobOptions, blobs } from "./blobs.js";
export { type FriedmanOptions, friedman, type RegressionTable } from "./friedman.js";
export type { LabelledPoints } from "./labelled-points.js";
export { moons } from "./moons.js";
export { orthonormal, type Quadratic, quadratic, withSpectrum } from "./quadratic.js";
export { type SpiralOptions, spirals } from "./spirals.js";
