// A flow forecast to a solver's accuracy, without the solver
// The vorticity of a forced flow: the last frame that is known, the truth two units of time later, and what refinement finds from the known frame alone. Raise `frames`, or take the initial term away with `initialWeight: 0`: the estimate falls, and the flow is wrong.
import {
  estimateForecast,
  forcedFlows,
  framesOf,
  generateFlows,
  persistence,
  refine,
} from "@offprint/spectral-refiner";
import { random } from "@offprint/tensor-core";

const [points, frames, spacing] = [32, 10, 0.2];
const family = forcedFlows({ points });
const settings = { stepSize: 0.02, spacing, warmUp: 5, frames: frames + 1 };
const flow = (await generateFlows(family, { ...settings, count: 1, rng: random.rng(3) })).frames.slice([0]);

const start = persistence(flow.slice([0]), frames);
const {
  frames: refined,
  forecast,
  history,
} = await refine(family.system, start, { spacing, maxIterations: 150, initialWeight: 1 });
const truth = flow.slice([{ start: 1 }]);
const error = (x) => Math.sqrt(x.sub(truth).square().sum().item() / truth.square().sum().item());
console.log(`error ${error(framesOf(start)).toFixed(3)} -> ${error(refined).toFixed(4)}`);
console.log(
  `estimate ${estimateForecast(family.system, start, { spacing }).eta.toExponential(1)} -> ${estimateForecast(family.system, forecast, { spacing }).eta.toExponential(1)}`,
);

const largest = flow.abs().max().item();
const tile = (label, frame) => ({
  label,
  width: points,
  height: points,
  channels: 1,
  pixels: Float64Array.from(frame.data(), (v) => 0.5 + (0.5 * v) / largest),
});
const last = { start: -1 };
const images = [
  tile("known", flow.slice([0])),
  tile("truth", truth.slice([last])),
  tile("refined", refined.slice([last])),
  tile("error, 100 times", refined.sub(truth).slice([last]).mul(100).clip(-largest, largest)),
];
display({ kind: "images", title: "Vorticity", images, columns: 4 }, "picture");
display({
  kind: "line",
  title: "The objective falls",
  x: { label: "iteration" },
  y: { label: "eta^2 + error of the start^2", scale: "log" },
  curves: [{ name: "objective", x: history.map((r) => r.iteration), y: history.map((r) => r.objective) }],
});
