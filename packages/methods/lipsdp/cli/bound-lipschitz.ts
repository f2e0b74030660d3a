import { basename } from "node:path";
import { defineCommand, option } from "@offprint/commands";
import { loadFile } from "@offprint/data/node";
import { readOnnxGraph } from "@offprint/onnx-format";
import { AbortedError, asTensor } from "@offprint/tensor-core";
import { fromOnnx } from "../src/from-onnx.js";
import { type LipschitzBound, lipschitzBound } from "../src/lipschitz-bound.js";
import type { FeedForwardNetwork } from "../src/network.js";
import { type NormPair, productBound } from "../src/product-bound.js";

const norms = { l2: ["l2"], linf: ["linf-l1"], both: ["l2", "linf-l1"] } as const satisfies Record<
  string,
  readonly NormPair[]
>;

/** `offprint bound-lipschitz model.onnx --output bounds.json` */
export const boundLipschitz = defineCommand({
  name: "bound-lipschitz",
  summary: "Certified Lipschitz bounds of an ONNX network",
  arguments: { model: option.fileIn("an .onnx file of a feed-forward network", { required: true }) },
  options: {
    norm: option.choice(["l2", "linf", "both"], "norms; linf to l1: |f(x)-f(y)|_1 <= L |x-y|_inf", { default: "both" }),
    rows: option.list(option.integer("rows of the output that count, as in 0,3; default all", { least: 0 })),
    multipliers: option.choice(["auto", "diag", "full", "eliminated"], "see the package's README", { default: "auto" }),
    split: option.integer("l2: product of the bounds of parts of this many linear layers", { least: 1 }),
    tolerance: option.number("tolerance of the solver; any gives a certified bound", { default: 1e-6, above: 0 }),
    maxIterations: option.integer("most iterations of the solver", { default: 10000, least: 1 }),
    output: option.fileOut("file for the bounds and their certificates (JSON)", { short: "o" }),
  },
  async run({ arguments: { model }, options, print, progress, report, signal, write }) {
    const { multipliers, rows: outputs, split, tolerance, maxIterations } = options;
    const network = fromOnnx(await loadFile(model, readOnnxGraph));
    print(`${basename(model)}: ${describe(network)}`);
    const chosen: readonly NormPair[] = norms[options.norm];
    const results: { norm: NormPair; product: number; result: LipschitzBound }[] = [];
    for (const [k, norm] of chosen.entries()) {
      const result = await lipschitzBound(network, {
        norm,
        multipliers,
        ...(outputs && { outputs }),
        ...(split !== undefined && norm === "l2" && { splitSize: split }),
        tolerance,
        maxIterations,
        signal,
        onProgress: ({ iteration }) => progress((k + iteration / maxIterations) / chosen.length, norm),
      });
      if (signal.aborted) throw new AbortedError("Interrupted; bounds that were found are printed.");
      const product = productBound(network, norm);
      results.push({ norm, product, result });
      report([
        [norm === "l2" ? "l2 -> l2" : "linf -> l1", shown(result)],
        ...(outputs === undefined ? [["product of the layers' norms", product.toPrecision(7)] as const] : []),
      ]);
    }
    const plain = (_: string, value: unknown) => (value instanceof Float64Array ? Array.from(value) : value);
    const rows = results.map(({ result: { state: _state, history: _history, ...result }, ...row }) => ({
      ...row,
      result,
    }));
    await write(options.output, `${JSON.stringify(rows, plain, 2)}\n`);
  },
});

function describe({ layers, activation }: FeedForwardNetwork): string {
  const shapes = layers.map(({ weight }) => asTensor(weight).shape);
  const kinds = [activation]
    .flat()
    .map((each) => (each.kind === "slope" ? `slopes in [${each.alpha}, ${each.beta}]` : each.kind));
  const distinct = [...new Set(kinds)];
  const widths = [shapes[0]![1], ...shapes.map(([outputs]) => outputs)].join("-");
  return `${widths}, ${distinct.length === 0 ? "linear" : distinct.join(" and ")}`;
}

function shown({ value, source, status, iterations }: LipschitzBound): string {
  // Seven digits, rounded upwards: what is printed is a bound as well.
  const digits = Math.max(0, 6 - Math.floor(Math.log10(value)));
  const bound = value > 0 ? Math.ceil(value * 10 ** digits * (1 + 1e-15)) / 10 ** digits : value;
  const how = source === "product" ? "product of norms" : `solver ${status}, ${iterations} iterations`;
  return `L <= ${bound.toPrecision(7)} (certified; ${how})`;
}
