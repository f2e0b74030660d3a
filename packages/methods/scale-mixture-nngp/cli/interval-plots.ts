import { plot } from "@offprint/claims";
import type { Tensor } from "@offprint/tensor-core";
import type { Prediction } from "../src/index.js";

/** Predictions in order, with their intervals and, where they are known, the values. */
export function intervalPlot(target: string, predicted: Prediction, level: number, known?: Tensor): string {
  const { low, high } = predicted.interval(level);
  const mean = predicted.mean.data();
  const order = Array.from(mean.keys()).sort((a, b) => mean[a] - mean[b]);
  const along = (values: ArrayLike<number>) => order.map((i) => values[i]);
  return plot({
    kind: "line",
    title: `${target}: predictions with intervals that should hold ${Math.round(100 * level)} % of the values`,
    x: { label: "rows in the order of their predictions" },
    y: { label: target },
    curves: [
      { name: "predicted", y: along(mean), low: along(low.data()), high: along(high.data()) },
      ...(known === undefined ? [] : [{ name: "actual", y: along(known.data()), style: "points" as const }]),
    ],
  });
}

/** How large a share of known values lies in intervals of every level: on the diagonal where they are calibrated. */
export function calibrationPlot(target: string, predicted: Prediction, known: Tensor): string {
  const levels = Array.from({ length: 19 }, (_, k) => (k + 1) / 20);
  return plot({
    kind: "line",
    title: `${target}: how many held-out values the intervals hold`,
    x: { label: "level of the interval", range: [0, 1] },
    y: { label: "share of values inside", range: [0, 1] },
    curves: [
      {
        name: "observed",
        x: levels,
        y: levels.map((level) => coverage(predicted, known, level)),
        style: "line-points",
      },
      { name: "calibrated", x: [0, 1], y: [0, 1] },
    ],
  });
}

/** The share of known values in the central intervals of a level. */
export function coverage(predicted: Prediction, known: Tensor, level: number): number {
  const shares = predicted.cdf(known).data();
  const inside = Array.from(shares).filter((p) => Math.abs(p - 0.5) <= level / 2);
  return inside.length / shares.length;
}
