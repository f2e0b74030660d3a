// Refine a schedule
// Draw your own gradient norms and see which learning-rate schedule they call for: constant norms give a straight line, norms that fall at first a warm-up, norms that rise at the end a faster annealing.

import { refineSchedule, schedules } from "@offprint/refined-schedules";

const steps = 500;
const norms = Float64Array.from({ length: steps }, (_, t) => {
  const done = t / steps;
  const atFirst = 8 * Math.exp(-done / 0.05);
  const atTheEnd = 2 * done ** 4;
  return 1 + atFirst + atTheEnd;
});

const refined = refineSchedule(norms, { tau: 0.1 });
console.log(`peak at ${((100 * refined.peakIndex) / steps).toFixed(1)} % of the run`);
console.log(`guarantee over that of linear decay: ${(refined.bound / refined.linearBound).toFixed(3)}`);
console.log(`begin tuning the peak at ${refined.learningRateRatio.toFixed(2)} times the one of linear decay`);

display({
  kind: "line",
  title: "Multipliers of the peak learning rate",
  x: { label: "step" },
  y: { label: "multiplier" },
  curves: [
    { name: "refined", y: refined.multipliers },
    { name: "linear decay", y: schedules.linear(steps) },
  ],
});
