import { type Rng, tensor } from "@offprint/tensor-core";
import { checkCount, checkDeviation, type LabelledPoints } from "./labelled-points.js";

/**
 * Two half circles that reach into each other: class 1 at `(cos t, sin t)`, class 0 at `(1 - cos t, 0.5 - sin t)`, t
 * uniform in [0, pi]. Classes alternate, beginning with 1.
 *
 * @param options `noise`: deviation of the normal noise on both coordinates, >= 0, default 0.1
 * @throws ValueError for a count or a noise out of range
 */
export function moons(rng: Rng, count: number, { noise = 0.1 }: { noise?: number } = {}): LabelledPoints {
  checkCount("moons", count);
  checkDeviation("moons", "noise", noise);
  const [angles, moves] = rng.split(2);
  const t = angles.uniform([count], { high: Math.PI, dtype: "float64" }).data();
  const inputs = Float64Array.from(moves.normal([count, 2], { std: noise, dtype: "float64" }).data());
  const targets = Int32Array.from({ length: count }, (_, i) => 1 - (i % 2));
  for (let i = 0; i < count; i++) {
    const upper = targets[i] === 1;
    inputs[2 * i] += upper ? Math.cos(t[i]) : 1 - Math.cos(t[i]);
    inputs[2 * i + 1] += upper ? Math.sin(t[i]) : 0.5 - Math.sin(t[i]);
  }
  return { inputs: tensor(inputs, { shape: [count, 2] }), targets: tensor(targets) };
}
