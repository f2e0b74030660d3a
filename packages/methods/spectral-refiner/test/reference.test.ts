import { navierStokes, torus } from "@offprint/spectral";
import { type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose, readFixture } from "@offprint/testing";
import { it } from "vitest";
import { estimate, type FlowOperatorParams, flowOperator, framesOf } from "../src/index.js";

const fixture = readFixture<{ frames: number[]; eta: number }>(import.meta.url, "operator.json");

it("operator and estimate agree with NumPy's from the paper's formulas", () => {
  let counter = 0;
  const draw = (shape: readonly number[], scale = 0.4): Tensor => {
    counter++;
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Float64Array.from({ length: size }, (_, i) => scale * Math.sin(1 + 0.7 * i + 1.3 * counter));
    return tensor(values, { shape });
  };
  const linear = (inputs: number, outputs: number) => ({ weight: draw([inputs, outputs]), bias: draw([outputs]) });
  const complex = (shape: readonly number[]) => ({ re: draw(shape, 0.1), im: draw(shape, 0.1) });
  const kept = [4, 4, 3];
  const window = draw([5, 6, 6], 1);
  const norm = { scale: draw([4]), bias: draw([4]) };
  const project = linear(4, 4);
  const spectral = [0, 1].map(() => ({ weight: complex([4, 4, ...kept]) }));
  const mlp = [0, 1].map(() => ({ wide: linear(4, 16), narrow: linear(16, 4) }));
  const skip = [linear(4, 4)];
  const latent = linear(4, 1);
  const output = { weight: complex([1, 1, ...kept]), bias: complex([1, ...kept]) };
  const params: FlowOperatorParams = { norm, project, spectral, mlp, skip, latent, output };
  const operator = flowOperator({ modes: [2, 2, 3], width: 4, layers: 2, latentFrames: 4, beta: 0.3 });

  const frames = operator.apply(params, window.expandDims(0), 3).slice([0]);
  expectClose(frames.flatten(), fixture.frames, 1e-12);
  expectClose(framesOf(operator.forecast(params, window, 3)), frames, 1e-12);
  const system = navierStokes(torus({ points: [6, 6] }), { viscosity: 1e-2 });
  expectClose(estimate(system, frames, { spacing: 0.1, rate: draw([3, 6, 6], 1) }).eta, fixture.eta, 1e-12);
});
