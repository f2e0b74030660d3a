import { checkOptions, type Rng, tensor, ValueError } from "@offprint/tensor-core";
import { checkCount, checkDeviation, type LabelledPoints } from "./labelled-points.js";

/** How spirals are drawn. */
export interface SpiralOptions {
  /** Number of arms, one for each class. Default 2. */
  readonly classes?: number;
  /** How often an arm turns around the origin. Default 1.5. */
  readonly turns?: number;
  /** Deviation of the normal noise on both coordinates. Default 0.02; the arms end at radius 1. */
  readonly noise?: number;
}

/**
 * Arms that wind around each other: a point of class k is at radius s and angle `2 pi (turns s + k / classes)`, s uniform
 * in area, so that arms are as dense inside as outside. Classes take turns, beginning with 0.
 *
 * @throws ValueError for a count or an option out of range
 */
export function spirals(rng: Rng, count: number, options: SpiralOptions = {}): LabelledPoints {
  checkOptions("spirals", options, ["classes", "turns", "noise"]);
  const { classes = 2, turns = 1.5, noise = 0.02 } = options;
  checkCount("spirals", count);
  checkDeviation("spirals", "noise", noise);
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ValueError(`spirals: classes is ${classes}; it must be an integer >= 1.`);
  }
  if (!Number.isFinite(turns)) throw new ValueError(`spirals: turns is ${turns}; it must be finite.`);
  const [along, moves] = rng.split(2);
  const area = along.uniform([count], { dtype: "float64" }).data();
  const inputs = Float64Array.from(moves.normal([count, 2], { std: noise, dtype: "float64" }).data());
  const targets = Int32Array.from({ length: count }, (_, i) => i % classes);
  for (let i = 0; i < count; i++) {
    const s = Math.sqrt(area[i]);
    const angle = 2 * Math.PI * (turns * s + targets[i] / classes);
    inputs[2 * i] += s * Math.cos(angle);
    inputs[2 * i + 1] += s * Math.sin(angle);
  }
  return { inputs: tensor(inputs, { shape: [count, 2] }), targets: tensor(targets) };
}
