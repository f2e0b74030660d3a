import { defineCommand, Failure, option, stateOptions } from "@offprint/commands";
import { readNpy, writeNpy } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { complex, navierStokes, torus } from "@offprint/spectral";
import { all, isFinite as finite, type Tensor, tensor } from "@offprint/tensor-core";
import {
  estimateForecast,
  type Forecast,
  flowOperator,
  forecastFrom,
  persistence,
  type RefineRecord,
  type RefineState,
  refine,
  reliabilityBound,
} from "../src/index.js";
import { loadOperator } from "./saved-operator.js";
import { nearestPower, sizeOf } from "./size-of.js";

/** `offprint refine-flow --input frames.npy --viscosity 1e-3 --spacing 0.2 --output forecast.npy` */
export const refineFlow = defineCommand({
  name: "refine-flow",
  summary: "Forecast a flow from frames in a .npy file, to a solver's accuracy and with an error estimate",
  options: {
    input: option.fileIn("vorticity of the known frames, [frames, n, n] or [n, n] (.npy)", {
      required: true,
      short: "i",
      endings: [".npy"],
    }),
    viscosity: option.number("viscosity", { required: true, above: 0 }),
    spacing: option.number("time between two frames", { required: true, above: 0 }),
    length: option.number("side of the square", { default: 1, above: 0 }),
    forcing: option.fileIn("curl of the force, [n, n] (.npy); default none", { endings: [".npy"] }),
    operator: option.fileIn("operator that train-flow-operator wrote; default: begin at the last frame"),
    forecast: option.fileIn("or a forecast by any model of your own, [frames, n, n] (.npy)", { endings: [".npy"] }),
    frames: option.integer("frames to forecast, where no forecast is given; default 10", { least: 4 }),
    maxIterations: option.integer("iterations at most", { default: 400, least: 1, free: true }),
    tolerance: option.number("end when the estimate is this small", { default: 0, least: 0 }),
    output: option.fileOut("file for the forecast, [frames, n, n] (.npy)", { short: "o", endings: [".npy"] }),
    ...stateOptions,
  },
  async run({ options, report, write, longRun }) {
    const { length, maxIterations } = options;
    if (options.forecast !== undefined && (options.operator ?? options.frames) !== undefined) {
      throw new Failure("--forecast has its frames and needs no --operator; leave those out");
    }
    const frames = options.frames ?? 10;
    const given = await loadFile(options.input, readNpy);
    const known = tensor(given.rank === 2 ? given.expandDims(0) : given, { dtype: "float64" });
    const [, n, m] = known.shape;
    if (known.rank !== 3 || known.size === 0 || n !== m || n % 2 !== 0) {
      throw new Failure(`${options.input}: an array of shape [${given.shape}]; give [frames, n, n] with an even n`);
    }
    if (!all(finite(known)).item()) throw new Failure(`${options.input}: a value is not finite`);
    const last = known.slice([-1]);
    const forcing = options.forcing === undefined ? undefined : await readForcing(options.forcing);
    const begun = await begin();
    // Units, powers of two, in which the objective is well conditioned: a drift over the frames weighs as much by its residual,
    // 1 / (T |omega|) of it, as by what it adds to the known frame.
    const side = nearestPower(length);
    const rate = nearestPower(length / side / (2 * Math.PI * begun.frames * options.spacing));
    const unit = side * rate ** 2;
    const spacing = options.spacing * rate;
    const viscosity = options.viscosity / (side ** 2 * rate);
    const system = navierStokes(torus({ points: [n, n], length: length / side }), {
      viscosity,
      forcing: forcing?.div(rate ** 2),
    });
    const start = scaled(begun, 1 / rate);
    const before = estimateForecast(system, start, { spacing });
    const run = await longRun<RefineRecord, RefineState>({
      progress: ({ iteration, objective }) => ({
        fraction: iteration / maxIterations,
        label: `estimate ${(unit * Math.sqrt(objective)).toExponential(2)}`,
      }),
    });
    const result = await refine(system, start, {
      ...{ spacing, maxIterations, tolerance: options.tolerance / unit },
      gradientTolerance: 1e-8 * (sizeOf(start.last) || 1),
      ...run.options,
    });
    await run.settle(result);
    const after = estimateForecast(system, result.forecast, { spacing });
    const bound = rate ** 2 * reliabilityBound({ ...after, spacing: spacing / 2, viscosity });
    report([
      ["iterations", result.iterations],
      ["estimate before", (unit * before.eta).toExponential(2)],
      ["estimate, between the frames as well", (unit * after.eta).toExponential(2)],
      ["error at the known frame", (rate * after.initialError).toExponential(2)],
      ["bound ||e0||^2 + (1/nu) int ||R||^2, up to a constant of the flow", bound.toExponential(2)],
    ]);
    await write(options.output, writeNpy(result.frames.mul(rate)));

    async function begin() {
      if (options.forecast !== undefined) return forecastFrom(last, await loadFile(options.forecast, readNpy));
      if (options.operator === undefined) return persistence(last, frames);
      const { operator, params } = await loadFile(options.operator, loadOperator);
      const { scale } = operator.config;
      const plain = flowOperator({ ...operator.config, scale: 1 });
      return scaled(plain.forecast(params, tensor(known.div(scale), { dtype: "float32" }), frames), scale);
    }
  },
});

/** A forecast in another unit of vorticity. */
function scaled(forecast: Forecast, factor: number): Forecast {
  const { last, coefficients } = forecast;
  return { ...forecast, last: last.mul(factor), coefficients: complex.scale(coefficients, factor) };
}

async function readForcing(path: string): Promise<Tensor> {
  const forcing = tensor(await loadFile(path, readNpy), { dtype: "float64" });
  if (!all(finite(forcing)).item()) throw new Failure(`${path}: a value is not finite`);
  const mean = forcing.size === 0 ? 0 : forcing.mean().item();
  if (Math.abs(mean) > 1e-6 * (forcing.size === 0 ? 1 : forcing.abs().max().item())) {
    throw new Failure(
      `${path}: the mean is ${mean.toPrecision(3)}; take it away, the curl of a periodic force has none`,
    );
  }
  return forcing;
}
