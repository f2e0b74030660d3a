import { basename, extname } from "node:path";
import type { CommandInput, MethodCommand } from "@offprint/claims";
import { readCsv, readImage, readNpy, Table, writeCsv, writeNpy, writeNpz } from "@offprint/data";
import { loadFile, saveFile } from "@offprint/data/node";
import { max, mul, type Tensor, tensor, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { costMatrix, type Metric, type SnsOptions, sinkhornNewtonSparse } from "../src/index.js";

const metrics = ["sqeuclidean", "euclidean", "l1"] as const;

/** The command `offprint transport source.csv target.csv`. */
const transport: MethodCommand = {
  name: "transport",
  summary: "optimal transport plan between two histograms or point clouds",
  arguments: [
    { name: "source", description: "points (.csv, .npy: [n, d]) or an image (.png, .pgm); with --cost: masses [n]" },
    { name: "target", description: "the same for the target" },
  ],
  options: [
    {
      name: "eta",
      type: "number",
      default: 1200,
      description: "inverse regularisation, for costs scaled to at most 1",
    },
    {
      name: "metric",
      type: "string",
      default: "sqeuclidean",
      description: `cost of points and pixels: ${metrics.join(", ")}`,
    },
    { name: "cost", type: "string", description: "cost matrix [n, m] (.npy, .csv), taken as it is" },
    { name: "source-masses", type: "string", description: "masses of the source's points (.npy, .csv); default equal" },
    { name: "target-masses", type: "string", description: "masses of the target's points (.npy, .csv); default equal" },
    { name: "raw", type: "boolean", default: false, description: "do not scale the costs of points and pixels" },
    { name: "tol", type: "number", default: 1e-13, description: "marginal error that is small enough" },
    { name: "iterations", type: "number", default: 50, description: "most Newton steps" },
    { name: "keep", type: "number", default: 8, description: "entries of the plan per row in the Newton matrix" },
    { name: "plan", type: "string", description: "file for the plan [n, m]: .npy or .csv" },
    { name: "potentials", type: "string", description: "file for the potentials x and y: .npz" },
    { name: "json", type: "string", description: "file for the cost, the status and the history" },
  ],
  run,
};

/** Places and masses, or masses alone. */
interface Side {
  readonly points?: Tensor;
  readonly masses?: Tensor;
}

async function run({ arguments: args, options, print, onProgress, signal }: CommandInput): Promise<number> {
  const metric = options["metric"] as Metric & string;
  if (!(metrics as readonly string[]).includes(metric)) {
    throw new ValueError(`--metric is "${metric}"; it must be one of ${metrics.join(", ")}`);
  }
  const given = options["cost"] as string | undefined;
  const [source, target] = [
    await readSide(args["source"] as string, options["source-masses"], given !== undefined),
    await readSide(args["target"] as string, options["target-masses"], given !== undefined),
  ];
  const { cost, scale } =
    given === undefined
      ? pointCosts(source, target, metric, options["raw"] as boolean)
      : { cost: await loadMatrix(given), scale: 1 };
  const iterations = options["iterations"] as number;
  const chosen: SnsOptions = {
    eta: options["eta"] as number,
    newtonIterations: iterations,
    tolerance: options["tol"] as number,
    keepPerRow: options["keep"] as number,
    dropZeros: true,
    signal,
    onProgress: ({ iteration, marginalError }) =>
      onProgress(Math.min(iteration / (20 + iterations), 0.99), `marginal error ${marginalError.toExponential(1)}`),
  };
  const result = await sinkhornNewtonSparse({ cost, r: source.masses, c: target.masses }, chosen);
  onProgress(1);
  const { sinkhorn, newton, fallback } = result.stages;
  print(`${basename(args["source"] as string)} -> ${basename(args["target"] as string)}: ${cost.shape.join(" x ")}`);
  print(`cost <C, P>       ${scale * result.cost}`);
  print(`regularised value ${scale * result.regularisedValue}`);
  print(`marginal error    ${result.marginalError.toExponential(2)} (${result.status})`);
  print(`iterations        ${sinkhorn} Sinkhorn, ${newton} Newton, ${fallback} fallback`);
  await write(options["plan"] as string | undefined, result.plan);
  const potentials = options["potentials"] as string | undefined;
  if (potentials !== undefined) {
    await saveFile(potentials, writeNpz({ x: mul(result.x, scale), y: mul(result.y, scale) }));
  }
  const json = options["json"] as string | undefined;
  if (json !== undefined) {
    const { plan: _, x: __, y: ___, state: ____, ...rest } = result;
    const inUnits = { cost: scale * rest.cost, regularisedValue: scale * rest.regularisedValue, f: scale * rest.f };
    await saveFile(json, `${JSON.stringify({ ...rest, ...inUnits, costScale: scale }, null, 2)}\n`);
  }
  for (const file of [options["plan"], potentials, json]) if (file !== undefined) print(`written: ${file}`);
  return result.status === "converged" ? 0 : 1;
}

async function readSide(path: string, masses: unknown, massesOnly: boolean): Promise<Side> {
  if (massesOnly) return { masses: normalised(path, await loadMatrix(path)) };
  if ([".png", ".pgm", ".ppm", ".pbm"].includes(extname(path).toLowerCase())) {
    const image = await loadFile(path, (bytes) => readImage(bytes, { channels: 1 }));
    const [height, width] = image.shape;
    const places = Float64Array.from({ length: 2 * height * width }, (_, at) =>
      at % 2 === 0 ? Math.floor(at / 2 / width) : (at >> 1) % width,
    );
    return { points: tensor(places, { shape: [height * width, 2] }), masses: normalised(path, image) };
  }
  const points = await loadMatrix(path);
  if (masses === undefined) return { points };
  return { points, masses: normalised(masses as string, await loadMatrix(masses as string)) };
}

/** Costs of at most 1, and what to multiply results by for the units of the points. */
function pointCosts(source: Side, target: Side, metric: Metric, raw: boolean): { cost: Tensor; scale: number } {
  const cost = costMatrix(source.points as Tensor, target.points as Tensor, metric);
  const most = max(cost).item();
  return raw || most === 0 ? { cost, scale: 1 } : { cost: mul(cost, 1 / most), scale: most };
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

/** Numbers of a .npy or .csv file, with or without a line of names. */
async function loadMatrix(path: string): Promise<Tensor> {
  const extension = extname(path).toLowerCase();
  if (extension === ".npy") return loadFile(path, (bytes) => readNpy(bytes));
  if (extension !== ".csv") throw new UnsupportedError(`${path}: give numbers as .npy or .csv`);
  return loadFile(path, (bytes) => {
    const bare = readCsv(bytes, { header: false });
    const table = bare.columns.every(({ type }) => type === "number") ? bare : readCsv(bytes);
    const values = table.tensor(table.names, { dtype: "float64" });
    return table.columns.length === 1 ? values.reshape([table.rows]) : values;
  });
}

async function write(path: string | undefined, plan: Tensor): Promise<void> {
  if (path === undefined) return;
  if (extname(path).toLowerCase() === ".npy") return saveFile(path, writeNpy(plan));
  if (extname(path).toLowerCase() !== ".csv") throw new UnsupportedError(`--plan ${path}: name a .npy or .csv file`);
  const [n, m] = plan.shape;
  const data = plan.data();
  const columns = Array.from({ length: m }, (_, j) => ({
    name: `target${j}`,
    type: "number" as const,
    values: Float64Array.from({ length: n }, (_, i) => data[i * m + j]),
  }));
  return saveFile(path, writeCsv(new Table(columns)));
}

/** Commands for `offprint`. */
export const commands: readonly MethodCommand[] = [transport];
