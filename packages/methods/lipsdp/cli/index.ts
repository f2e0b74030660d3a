import { basename } from "node:path";
import type { CommandInput, MethodCommand } from "@offprint/claims";
import { loadFile, saveFile } from "@offprint/data/node";
import { readOnnxGraph } from "@offprint/onnx-format";
import { ValueError } from "@offprint/tensor-core";
import { fromOnnx } from "../src/from-onnx.js";
import { type LipschitzBound, type LipschitzOptions, lipschitzBound } from "../src/lipschitz-bound.js";
import type { FeedForwardNetwork } from "../src/network.js";
import { type NormPair, productBound } from "../src/product-bound.js";

const kinds = ["auto", "diag", "full", "eliminated"] as const;

/** The command `offprint lipschitz model.onnx`. */
const lipschitz: MethodCommand = {
  name: "lipschitz",
  summary: "certified Lipschitz bounds of an ONNX network",
  arguments: [{ name: "model", description: "an .onnx file of a feed-forward network" }],
  options: [
    {
      name: "norm",
      type: "string",
      default: "both",
      description: "l2, linf (to l1: |f(x)-f(y)|_1 <= L |x-y|_inf), or both",
    },
    { name: "outputs", type: "string", description: "rows of the output that count, as in 0,3; default all" },
    {
      name: "multipliers",
      type: "string",
      default: "auto",
      description: `${kinds.join(", ")}: see the package's README`,
    },
    { name: "split", type: "number", description: "l2: product of the bounds of parts of this many linear layers" },
    { name: "eps", type: "number", default: 1e-6, description: "tolerance of the solver; any gives a certified bound" },
    { name: "iterations", type: "number", default: 10000, description: "most iterations of the solver" },
    { name: "json", type: "string", description: "file for the bounds and their certificates" },
  ],
  run,
};

async function run({ arguments: args, options, print, onProgress, signal }: CommandInput): Promise<void> {
  const path = args.model as string;
  const network = fromOnnx(await loadFile(path, readOnnxGraph));
  const norms = chosenNorms(options.norm as string);
  const multipliers = options.multipliers as (typeof kinds)[number];
  if (!kinds.includes(multipliers))
    throw new ValueError(`--multipliers: take one of ${kinds.join(", ")}, got "${multipliers}"`);
  const outputs = options.outputs === undefined ? undefined : rowList(options.outputs as string);
  print(`${basename(path)}: ${describe(network)}`);
  const results: { norm: NormPair; product: number; result: LipschitzBound }[] = [];
  for (const [k, norm] of norms.entries()) {
    const maxIter = options.iterations as number;
    const bounded: LipschitzOptions = {
      norm,
      multipliers,
      outputs,
      splitSize: norm === "l2" ? (options.split as number | undefined) : undefined,
      solver: {
        eps: options.eps as number,
        maxIter,
        signal,
        onProgress: ({ iteration }) => onProgress((k + iteration / maxIter) / norms.length, norm),
      },
    };
    const result = lipschitzBound(network, bounded);
    results.push({ norm, product: productBound(network, norm), result });
    print(line(norm, result));
    if (outputs === undefined) print(`  product of the layers' norms: ${results[k].product.toPrecision(7)}`);
  }
  onProgress(1);
  if (options.json !== undefined) {
    await saveFile(
      options.json as string,
      `${JSON.stringify(results, (_, v) => (v instanceof Float64Array ? Array.from(v) : v), 2)}\n`,
    );
  }
}

function chosenNorms(norm: string): NormPair[] {
  if (norm === "both") return ["l2", "linf-l1"];
  if (norm === "l2") return ["l2"];
  if (norm === "linf" || norm === "linf-l1") return ["linf-l1"];
  throw new ValueError(`--norm: take l2, linf or both, got "${norm}"`);
}

function rowList(text: string): number[] {
  const rows = text.split(",").map((part) => Number(part.trim()));
  if (rows.some((row) => !Number.isInteger(row)))
    throw new ValueError(`--outputs: give row numbers as in 0,3, got "${text}"`);
  return rows;
}

function describe({ layers, activation }: FeedForwardNetwork): string {
  const widths = layers.map(({ weight }) => (weight as { shape: number[] }).shape);
  const acts = (activation as readonly { kind: string; alpha?: number; beta?: number }[]).map(
    ({ kind, alpha, beta }) => (kind === "slope" ? `slopes in [${alpha}, ${beta}]` : kind),
  );
  const distinct = [...new Set(acts)];
  return `${[widths[0][1], ...widths.map(([rows]) => rows)].join("-")}, ${distinct.length === 0 ? "linear" : distinct.join(" and ")}`;
}

function line(norm: NormPair, { value, source, status, iterations, seconds }: LipschitzBound): string {
  // Seven digits, rounded upwards: what is printed is a bound as well.
  const digits = Math.max(0, 6 - Math.floor(Math.log10(value)));
  const shown = value > 0 ? Math.ceil(value * 10 ** digits * (1 + 1e-15)) / 10 ** digits : value;
  const norms = norm === "l2" ? "l2 -> l2" : "linf -> l1";
  const how = source === "product" ? "product of norms" : `solver ${status}, ${iterations} iterations`;
  return `${norms}: L <= ${shown.toPrecision(7)} (certified; ${how}; ${seconds.toFixed(1)} s)`;
}

/** Commands for `offprint`. */
export const commands: readonly MethodCommand[] = [lipschitz];
