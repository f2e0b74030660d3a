import { plot } from "@offprint/claims";
import { defineCommand, Failure, option, readTable, seedOption, stateOptions, tableOptions } from "@offprint/commands";
import type { RunState } from "@offprint/solvers";
import { random } from "@offprint/tensor-core";
import {
  type CurvatureRecord,
  type CurvatureTrainingState,
  curvature,
  estimateNoise,
  type SpectralDensity,
  spectralDensity,
  trainByCurvature,
} from "../src/index.js";
import { ratesByBatch, ratesTable } from "./rates-by-batch.js";
import { type NetworkParams, tableNetwork } from "./table-network.js";

/** Of the bar: where training, batches and probes end; steps of SGD are the rest. */
const ENDS = { training: 0.5, batches: 0.8, probes: 0.9 };

/** `offprint scale-rates --table data.csv --target y --batches 8,32,128 --output rates.csv --plot spectrum.svg` */
export const scaleRates = defineCommand({
  name: "scale-rates",
  summary: "Find the largest stable learning rate for each batch size, from the curvature of a network on a table",
  options: {
    ...tableOptions,
    task: option.choice(["classification", "regression"], "what the target is; default: texts are classes"),
    hidden: option.list(option.integer("widths of hidden layers, as in 16,16, or none", { least: 1 }), {
      default: [16],
      none: "none",
    }),
    steps: option.integer("steps of training before curvature is measured", { default: 300, least: 1, free: true }),
    batchSize: option.integer("rows of a batch of this training", { default: 32, least: 1 }),
    batches: option.list(
      option.integer("batch sizes, two or more; default 8 to 256, doubling, as far as half of the rows", { least: 1 }),
      { least: 2, distinct: true },
    ),
    repeats: option.integer("batches that are measured of each size", { default: 40, least: 1 }),
    momentum: option.number("of heavy ball", { default: 0.9, least: 0, below: 1 }),
    tries: option.integer("steps of SGD at half and at twice each limit, to see whether it is one", {
      default: 100,
      least: 1,
    }),
    probes: option.integer("random directions of the spectrum", { default: 3, least: 1 }),
    ...seedOption,
    output: option.fileOut("file for the rates (CSV)", { short: "o", endings: [".csv"] }),
    plot: option.fileOut("file for a picture of the spectrum (SVG)", { endings: [".svg"] }),
    ...stateOptions,
  },
  async run({ options, print, report, note, write, progress, signal, longRun }) {
    const { steps, seed, momentum, probes, repeats } = options;
    const table = await readTable(options.table, options);
    const network = tableNetwork(table, options.hidden, options.task);
    const { samples, loss, sample } = network;
    const batches = options.batches ?? [8, 16, 32, 64, 128, 256].filter((size) => size <= samples / 2);
    if (batches.length < 2) {
      throw new Failure(
        `${options.table}: ${samples} rows are too few for two sizes of batches; give --batches, as in 2,4`,
      );
    }
    const measurements = 1 + batches.length * repeats;
    print(`${samples} rows, ${table.features.length} features; ${table.targetName}: ${network.task}`);
    const run = await longRun<CurvatureRecord, RunState<CurvatureTrainingState<NetworkParams>, CurvatureRecord>>({
      progress: ({ step, loss: value }) => ({
        fraction: (ENDS.training * step) / steps,
        label: `training, loss ${value.toPrecision(4)}`,
      }),
    });
    const batch = network.batches(Math.min(options.batchSize, samples), `${seed}/train`);
    const trained = await trainByCurvature(
      { loss, initial: network.init(random.rng(seed)), batch },
      { steps, seed, ...run.options },
    );
    if (trained.status === "aborted") await run.settle(trained);
    const { params } = trained;
    // Interrupted while it measures, a run goes on from the trained network.
    const unlessAborted = async ({ status }: { readonly status: string }) => {
      if (status === "aborted") await run.settle({ status, state: trained.state });
    };
    const noise = await estimateNoise(
      { loss, params, sample, samples },
      {
        ...{ methods: ["fit"], batches, repeats, seed, signal },
        onProgress({ batch: size, iteration }) {
          const fraction = ENDS.training + ((ENDS.batches - ENDS.training) * iteration) / measurements;
          progress(fraction, `curvature of batches of ${size}`);
        },
      },
    );
    await unlessAborted(noise);
    // Rows that are all alike give 0 but for rounding, of either sign.
    const slope = noise.fit?.gamma ?? 0;
    if (slope < -1e-9 * noise.lambda1 ** 2) {
      throw new Failure(
        `${options.table}: curvature does not fall from small batches to large ones (Gamma is ${slope.toPrecision(3)}); give more --repeats, --batches that are farther apart, or more --steps`,
      );
    }
    const hessian = curvature(loss);
    const all = sample(Int32Array.from({ length: samples }, (_, i) => i));
    const spectrum = await spectralDensity(hessian.at(params, all), hessian.sizeOf(params), {
      ...{ probes, seed, signal },
      onProgress({ iteration }) {
        progress(ENDS.batches + ((ENDS.probes - ENDS.batches) * iteration) / probes, "spectrum");
      },
    });
    hessian.release();
    await unlessAborted(spectrum);
    const tried = await ratesByBatch(network, params, noise, {
      ...{ momentum, steps: options.tries, seed, signal },
      onProgress: (fraction) => progress(ENDS.probes + (1 - ENDS.probes) * fraction, "steps of SGD"),
    });
    await unlessAborted(tried);
    await run.settle(trained);
    const { rates } = tried;
    const { lambda1, fit, criticalBatch } = noise;
    report([
      ["loss where curvature was measured", loss(params, all).item().toPrecision(4)],
      ["largest eigenvalue of all rows", lambda1.toPrecision(4)],
      ["Gamma of the fit, and the variance it explains", `${noise.gamma.toPrecision(4)}, ${fit?.r2.toFixed(3)}`],
      ["batch below which that eigenvalue drowns in noise", criticalBatch.toPrecision(3)],
      ...rates.map(
        ({ batch: size, sgd, heavyBall, below, above }) =>
          [
            `batches of ${size}: largest rate of SGD, of heavy ball`,
            `${sgd.toPrecision(3)}, ${heavyBall.toPrecision(3)}; loss at half ${below.toPrecision(3)}, at twice ${above.toPrecision(3)}`,
          ] as const,
      ),
    ]);
    note(
      "These are limits of stability where the network is now, of a line fitted to batches; curvature changes in training. Begin below half of them.",
    );
    await write(options.output, ratesTable(rates));
    await write(options.plot, spectrumPlot(spectrum));
  },
});

/** The density of the eigenvalues, and the nodes that it was made of. */
function spectrumPlot({ nodes, weights, density }: SpectralDensity): string {
  const [least, most] = [Math.min(...nodes), Math.max(...nodes)];
  const width = most - least || 1;
  const x = Array.from({ length: 400 }, (_, i) => least - 0.05 * width + (1.1 * width * i) / 399);
  return plot({
    kind: "line",
    title: "Eigenvalues of the Hessian of all rows",
    x: { label: "eigenvalue" },
    y: { label: "density", scale: "log" },
    curves: [
      { name: "density", x, y: Array.from(density(x, width / 100), (v) => Math.max(v, 1e-8)) },
      {
        name: "nodes, their weights",
        x: Array.from(nodes),
        y: Array.from(weights, (w) => Math.max(w, 1e-8)),
        style: "points",
      },
    ],
  });
}
