import { basename, extname } from "node:path";
import { defineCommand, exitCodes, option, stateOptions } from "@offprint/commands";
import { readCsv, readImage, readNpy, Table, writeCsv, writeNpy, writeNpz } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import type { RunState } from "@offprint/solvers";
import {
  abs,
  div,
  max,
  mul,
  ShapeError,
  type Tensor,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { costMatrix, type Metric, type SnsRecord, type SnsState, sinkhornNewtonSparse } from "../src/index.js";

const places = "points (.csv, .npy: [n, d]) or an image (.png, .pgm); with --cost: masses [n]";
const numbers = [".npy", ".csv"];

/** `offprint transport-mass --source source.csv --target target.csv --output plan.npy` */
export const transportMass = defineCommand({
  name: "transport-mass",
  summary: "Optimal transport plan between two histograms or point clouds",
  options: {
    source: option.fileIn(places, { required: true }),
    target: option.fileIn("the same for the target", { required: true }),
    eta: option.number("inverse regularisation, for costs scaled to at most 1", { default: 1200, above: 0 }),
    metric: option.choice(["sqeuclidean", "euclidean", "l1"], "cost of points and pixels", { default: "sqeuclidean" }),
    cost: option.fileIn("cost matrix [n, m] (.npy, .csv), taken as it is", { endings: numbers }),
    sourceMasses: option.fileIn("masses of the source's points; default equal", { endings: numbers }),
    targetMasses: option.fileIn("masses of the target's points; default equal", { endings: numbers }),
    raw: option.flag("do not scale the costs of points and pixels"),
    tolerance: option.number("marginal error that is small enough", { default: 1e-13, least: 0 }),
    maxIterations: option.integer("most iterations of all stages together", { default: 10_000, least: 0, free: true }),
    keep: option.integer("entries of the plan per row in the Newton matrix", { default: 8, least: 1 }),
    output: option.fileOut("file for the plan [n, m]", { short: "o", endings: numbers }),
    potentials: option.fileOut("file for the potentials x and y", { endings: [".npz"] }),
    json: option.fileOut("file for the cost, the status and the history"),
    ...stateOptions,
  },
  async run({ options, print, report, longRun, refuse, write }) {
    const { metric, raw, eta, maxIterations } = options;
    const massesOnly = options.cost !== undefined;
    if (massesOnly) refuse(["metric", "raw", "sourceMasses", "targetMasses"], "--cost is taken as it is, with masses");
    if (isPicture(options.source)) refuse(["sourceMasses"], "the picture of the source has masses");
    if (isPicture(options.target)) refuse(["targetMasses"], "the picture of the target has masses");
    const source = await readSide(options.source, options.sourceMasses, massesOnly);
    const target = await readSide(options.target, options.targetMasses, massesOnly);
    const { cost, scale } =
      options.cost === undefined
        ? pointCosts(source, target, metric, raw)
        : { cost: await loadMatrix(options.cost), scale: 1 };
    const run = await longRun<SnsRecord, RunState<SnsState, SnsRecord>>({
      progress: ({ iteration, marginalError }) => ({
        fraction: Math.min(iteration / Math.min(USUAL, maxIterations), 0.99),
        label: `marginal error ${marginalError.toExponential(1)}`,
      }),
    });
    const result = await sinkhornNewtonSparse(
      { cost, r: source.masses, c: target.masses },
      {
        eta,
        maxIterations,
        tolerance: options.tolerance,
        keepPerRow: options.keep,
        dropZeros: true,
        ...run.options,
      },
    );
    await run.settle(result);
    const { sinkhorn, newton, fallback } = result.stages;
    print(`${basename(options.source)} -> ${basename(options.target)}: ${cost.shape.join(" x ")}`);
    report([
      ["cost <C, P>", scale * result.cost],
      ["regularised value", scale * result.regularisedValue],
      ["marginal error", `${result.marginalError.toExponential(2)} (${result.status})`],
      ["iterations", `${sinkhorn} Sinkhorn, ${newton} Newton, ${fallback} fallback`],
    ]);
    const { output } = options;
    if (output !== undefined) await write(output, planFile(output, result.plan));
    if (options.potentials !== undefined) {
      await write(options.potentials, writeNpz({ x: mul(result.x, scale), y: mul(result.y, scale) }));
    }
    const { plan: _, x: __, y: ___, state: ____, ...rest } = result;
    const inUnits = { cost: scale * rest.cost, regularisedValue: scale * rest.regularisedValue, f: scale * rest.f };
    await write(options.json, `${JSON.stringify({ ...rest, ...inUnits, costScale: scale }, null, 2)}\n`);
    return result.status === "converged" ? exitCodes.success : exitCodes.negative;
  },
});

/** Iterations of a problem of the usual difficulty, for the bar of progress. */
const USUAL = 70;

/** Places and masses, or masses alone. */
interface Side {
  readonly points?: Tensor;
  readonly masses?: Tensor;
}

const isPicture = (path: string): boolean => /\.(png|pgm|ppm|pbm)$/i.test(path);

async function readSide(path: string, masses: string | undefined, massesOnly: boolean): Promise<Side> {
  if (massesOnly) return { masses: normalised(path, await loadMatrix(path)) };
  if (isPicture(path)) {
    const image = await loadFile(path, (bytes) => readImage(bytes, { channels: 1 }));
    const [height, width] = image.shape;
    const places = Float64Array.from({ length: 2 * height * width }, (_, at) =>
      at % 2 === 0 ? Math.floor(at / 2 / width) : (at >> 1) % width,
    );
    return { points: tensor(places, { shape: [height * width, 2] }), masses: normalised(path, image) };
  }
  const given = await loadMatrix(path);
  const points = given.rank === 1 ? given.reshape([-1, 1]) : given;
  if (points.rank !== 2)
    throw new ShapeError(`${path}: an array of shape [${points.shape}]; give points [count, coordinates]`);
  if (masses === undefined) return { points };
  const weights = await loadMatrix(masses);
  if (weights.size !== points.shape[0]) {
    throw new ShapeError(
      `${masses}: ${weights.size} masses for the ${points.shape[0]} points of ${path}; give one for each`,
    );
  }
  return { points, masses: normalised(masses, weights) };
}

/** Below it numbers lose digits. */
const LEAST_NORMAL = 2 ** -1022;

function largest(points: Tensor): number {
  return max(abs(points)).item();
}

/** Costs of at most 1, and what to multiply results by for the units of the points. */
function pointCosts(source: Side, target: Side, metric: Metric, raw: boolean): { cost: Tensor; scale: number } {
  if (source.points === undefined || target.points === undefined) throw new ValueError("give points, or --cost");
  const [of, to] = [source.points.shape[1], target.points.shape[1]];
  if (of !== to) {
    throw new ShapeError(`points of --source have ${of} coordinates and those of --target ${to}; they must agree`);
  }
  if (raw) return { cost: costMatrix(source.points, target.points, metric), scale: 1 };
  // In a unit of their size, so that no square of a difference overflows or vanishes.
  const unit = 2 ** Math.floor(Math.log2(Math.max(largest(source.points), largest(target.points), Number.MIN_VALUE)));
  const cost = costMatrix(div(source.points, unit), div(target.points, unit), metric);
  const most = max(cost).item();
  if (most === 0) return { cost, scale: 1 };
  const scale = most * unit * (metric === "sqeuclidean" ? unit : 1);
  if (!(scale >= LEAST_NORMAL && scale < Infinity)) {
    throw new ValueError("the squared distances are beyond floating point; give the points in another unit");
  }
  return { cost: mul(cost, 1 / most), scale };
}

/** Masses divided by their sum. */
function normalised(path: string, masses: Tensor): Tensor {
  const values = Float64Array.from(masses.data());
  const sum = values.reduce((a, b) => a + b, 0);
  if (!(sum > 0 && sum < Infinity && values.every((mass) => mass >= 0))) {
    throw new ValueError(`${path}: masses must be finite, >= 0 and not all 0`);
  }
  return tensor(values.map((mass) => mass / sum));
}

/** Numbers of a .npy or .csv file, with or without a line of names, one at least and all finite. */
async function loadMatrix(path: string): Promise<Tensor> {
  const values = await numbersIn(path);
  if (values.size === 0) throw new ValueError(`${path}: it holds no numbers`);
  const wrong = Array.from(values.data()).findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new ValueError(`${path}: the number at place ${wrong + 1} is missing or not finite`);
  return values;
}

async function numbersIn(path: string): Promise<Tensor> {
  const extension = extname(path).toLowerCase();
  if (extension === ".npy") return loadFile(path, (bytes) => readNpy(bytes));
  if (extension !== ".csv")
    throw new UnsupportedError(`${path}: give numbers as .npy or .csv, an image as .png or .pgm`);
  return loadFile(path, (bytes) => {
    const bare = readCsv(bytes, { header: false });
    const table = bare.columns.every(({ type }) => type === "number") ? bare : readCsv(bytes);
    const texts = table.columns.find(({ type }) => type === "text");
    if (texts !== undefined) throw new ValueError(`${path}: column ${texts.name} holds texts; give numbers alone`);
    const values = table.tensor(table.names, { dtype: "float64" });
    return table.columns.length === 1 ? values.reshape([table.rows]) : values;
  });
}

/** The bytes of a plan as .npy, or as .csv with a column for each point of the target. */
function planFile(path: string, plan: Tensor): Uint8Array | string {
  if (extname(path).toLowerCase() === ".npy") return writeNpy(plan);
  const [n, m] = plan.shape;
  const data = plan.data();
  const columns = Array.from({ length: m! }, (_, j) => ({
    name: `target${j}`,
    type: "number" as const,
    values: Float64Array.from({ length: n! }, (_, i) => data[i * m! + j]!),
  }));
  return writeCsv(new Table(columns));
}
