import { basename } from "node:path";
import { defineCommand, Failure, option, stateOptions } from "@offprint/commands";
import { readNpy } from "@offprint/data";
import { filesBeside, loadFile } from "@offprint/data/node";
import { fromOnnx, layerShapes } from "@offprint/networks";
import { FormatError } from "@offprint/tensor-core";
import { type Box, type BranchRecord, boxAround, type LocalLipschitzState, localLipschitz } from "../src/index.js";

/** An input: an .npy file, or a text of numbers. */
function inputOf(bytes: Uint8Array): number[] {
  if (bytes[0] === 0x93) {
    const values = Array.from(readNpy(bytes).data(), Number);
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) throw new FormatError(`the input has the value ${values[wrong]} at ${wrong}; give finite ones`);
    return values;
  }
  const words = new TextDecoder()
    .decode(bytes)
    .split(/[\s,;[\]]+/)
    .filter((word) => word !== "");
  const values = words.map(Number);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0 || values.length === 0) {
    throw new FormatError(
      `the input has ${wrong < 0 ? "no numbers" : `the word "${words[wrong]}"`}; give an .npy file or numbers`,
    );
  }
  return values;
}

/** What says which inputs count. */
interface Place {
  readonly point: string | undefined;
  readonly eps: number | undefined;
  readonly lower: string | undefined;
  readonly upper: string | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** Inputs around a point, or between two of them, and how they are called. */
async function boxOf(
  { point, eps, lower, upper, min, max }: Place,
  inputs: number,
): Promise<{ box: Box; text: string }> {
  const read = async (path: string, name: string) => {
    const values = await loadFile(path, inputOf);
    if (values.length === inputs) return values;
    throw new Failure(`${name} has ${values.length} values and the network ${inputs} inputs; give one for each`);
  };
  if (point !== undefined && eps !== undefined && lower === undefined && upper === undefined) {
    const x0 = await read(point, "--point");
    const cut = x0.findIndex((x) => Math.max(x - eps, min ?? -Infinity) > Math.min(x + eps, max ?? Infinity));
    if (cut >= 0) {
      throw new Failure(`--min and --max leave nothing of coordinate ${cut}: --point is ${x0[cut]}, --eps ${eps}`);
    }
    const box = boxAround(x0, eps, { ...(min !== undefined && { min }), ...(max !== undefined && { max }) });
    return { box, text: `${x0.length} inputs within ${eps}` };
  }
  if (lower !== undefined && upper !== undefined && point === undefined && eps === undefined) {
    if (min !== undefined || max !== undefined)
      throw new Failure("--min and --max are for --point; a box has its ends");
    const box = { lower: await read(lower, "--lower"), upper: await read(upper, "--upper") };
    const crossed = box.lower.findIndex((from, j) => from > box.upper[j]);
    if (crossed >= 0) {
      throw new Failure(
        `--lower is ${box.lower[crossed]} at coordinate ${crossed}, above --upper ${box.upper[crossed]}; exchange them`,
      );
    }
    return { box, text: `a box of ${inputs} inputs` };
  }
  throw new Failure("say which inputs count: --point and --eps, or --lower and --upper");
}

/** Seven digits, rounded upwards or downwards: what is printed is a bound as well. */
function outwards(value: number, sign: 1 | -1): string {
  const [digits, exponent] = value.toExponential(6).split("e");
  const beyond = sign * Number(`${digits}e${exponent}`) >= sign * value;
  const last = Math.round(Number(digits) * 1e6) + (beyond ? 0 : sign);
  return Number(`${last}e${Number(exponent) - 6}`).toPrecision(7);
}

/** `offprint bound-locally model.onnx --point x.npy --eps 0.01` */
export const boundLocally = defineCommand({
  name: "bound-locally",
  summary: "Certified bounds of an ONNX network around a point, or in a box",
  arguments: { model: option.fileIn("an .onnx file of a feed-forward network", { required: true }) },
  options: {
    point: option.fileIn("the input at the centre: .npy, or a text of numbers"),
    eps: option.number("largest change of every coordinate", { least: 0 }),
    lower: option.fileIn("instead of a point: least values of every coordinate, as those of a point"),
    upper: option.fileIn("likewise the largest"),
    min: option.number("least value of an input"),
    max: option.number("largest value of an input"),
    norm: option.choice(["linf", "l2"], "how changes of the input are measured", { default: "linf" }),
    rows: option.list(option.integer("outputs that count, as in 0,3; default all", { least: 0 })),
    maxDomains: option.integer("branches bounded at most; 0 for none", { default: 2000, least: 0, free: true }),
    tolerance: option.number("ends where the gap is at most this part of the bound", { default: 1e-3, least: 0 }),
    precision: option.choice(["float64", "float32"], "float32: as sound, products in half the time", {
      default: "float64",
    }),
    exact: option.flag("leave out branches that no input reaches: exact on small networks"),
    output: option.fileOut("file for the bounds (JSON)", { short: "o", endings: [".json"] }),
    ...stateOptions,
  },
  async run({ arguments: { model }, options, print, report, note, write, longRun }) {
    const { norm, rows: outputs, maxDomains, tolerance, precision, exact, output } = options;
    const network = await loadFile(model, (bytes) => fromOnnx(bytes, { externalData: filesBeside(model) }));
    const shapes = layerShapes(network);
    const [inputs, last] = [shapes[0], shapes[shapes.length - 1]].map((shape) =>
      shape.reduce((size, n) => size * n, 1),
    );
    const missing = outputs?.find((row) => row >= last);
    if (missing !== undefined) throw new Failure(`--rows has ${missing}; the network's outputs are 0 to ${last - 1}`);
    const { box, text } = await boxOf(options, inputs);
    const run = await longRun<BranchRecord, LocalLipschitzState>({
      progress: ({ domains, value, gap }) => ({
        fraction: Math.min(1, domains / Math.max(1, maxDomains)),
        label: `L <= ${value.toPrecision(5)}, gap ${(100 * gap).toFixed(1)} %`,
      }),
    });
    const result = await localLipschitz(network, box, {
      ...{ norm, maxDomains, tolerance, precision, leafFeasibility: exact ?? false },
      ...(outputs !== undefined && { outputs }),
      ...run.options,
    });
    const { value, perOutput, lowerBound, gap, domains, status } = result;
    await run.settle({ status, state: result.state });
    print(`${basename(model)}, ${text}`);
    const left = status === "converged" && gap > tolerance;
    report([
      ["L <=", `${outwards(value, 1)} (certified)`],
      ["L >=", outwards(lowerBound, -1)],
      ["gap", `${(100 * gap).toFixed(2)} %`],
      ["branches", `${domains}, ${left ? "nothing left to split" : status}`],
    ]);
    if (left && !exact) note("--exact may close more of the gap: it leaves out branches that no input reaches.");
    await write(
      output,
      `${JSON.stringify({ value, perOutput: Array.from(perOutput), lowerBound, gap, domains, status }, null, 2)}\n`,
    );
  },
});
