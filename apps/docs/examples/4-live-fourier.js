// Fit a signal, and watch
// A plot with a key is replaced when it is shown again: a fit of sines, drawn while it improves.

import { adam, minimize } from "@offprint/optim";
import { add, at, fft, linspace, mean, mul, sin, square, sub, sum, tensor } from "@offprint/tensor-core";

const t = linspace(0, 1, 256);
const signal = add(sin(mul(2 * Math.PI * 3, t)), mul(0.5, sin(add(mul(2 * Math.PI * 7, t), 1))));

const { re, im } = fft.rfft(signal);
display({
  kind: "line",
  title: "Its spectrum",
  x: { label: "frequency", range: [0, 16] },
  y: { label: "magnitude" },
  curves: [{ name: "magnitude", y: add(square(re), square(im)).sqrt().data() }],
});

const waves = 2;
const model = ({ amplitude, frequency, phase }) => {
  const parts = Array.from({ length: waves }, (_, k) =>
    mul(at(amplitude, [k]), sin(add(mul(mul(2 * Math.PI, at(frequency, [k])), t), at(phase, [k])))),
  );
  return parts.reduce((total, part) => add(total, part));
};
const start = { amplitude: tensor([0.3, 0.3]), frequency: tensor([2.8, 7.3]), phase: tensor([0, 0]) };

let latest = start;
const { params } = await minimize((p) => mean(square(sub(model(p), signal))), start, adam({ learningRate: 0.03 }), {
  steps: 400,
  evaluate: (params) => {
    latest = params;
    return {};
  },
  onProgress: ({ step, loss }) => {
    if (step % 40 !== 0) return;
    display(
      {
        kind: "line",
        title: `After ${step} steps: mean squared error ${loss.toExponential(1)}`,
        x: { label: "time" },
        y: { label: "signal" },
        curves: [
          { name: "signal", x: t.data(), y: signal.data() },
          { name: "fit", x: t.data(), y: model(latest).data() },
        ],
      },
      "fit",
    );
  },
});
console.log(
  "frequencies:",
  params.frequency
    .toArray()
    .map((f) => f.toFixed(3))
    .join(", "),
);
console.log(
  "remaining error:",
  sum(square(sub(model(params), signal)))
    .item()
    .toExponential(2),
);
