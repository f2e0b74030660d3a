import { basename } from "node:path";
import { defineCommand, Failure, option, stateOptions } from "@offprint/commands";
import { filesBeside, loadFile } from "@offprint/data/node";
import { foldLinear, fromOnnx, type Layer } from "@offprint/networks";
import { asTensor } from "@offprint/tensor-core";
import { type LipschitzBound, lipschitzBound, WIDEST_LAYER } from "../src/lipschitz-bound.js";
import { DENSE_WIDTH } from "../src/plan.js";
import { type NormPair, productBound } from "../src/product-bound.js";
import type { ProgrammeProgress, ProgrammeState } from "../src/programme-session.js";

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
    maxIterations: option.integer("most iterations of the solver", { default: 10000, least: 1, free: true }),
    output: option.fileOut("file for the bounds and their certificates (JSON)", { short: "o" }),
    ...stateOptions,
  },
  async run({ arguments: { model }, options, print, report, note, write, refuse, longRun }) {
    if (options.norm === "linf") refuse(["split"], "products of parts are of --norm l2");
    const { multipliers, rows: outputs, split, tolerance, maxIterations } = options;
    const network = foldLinear(await loadFile(model, (bytes) => fromOnnx(bytes, { externalData: filesBeside(model) })));
    print(`${basename(model)}: ${describe(network.layers)}`);
    const hidden = network.layers.slice(0, -1).map(neurons);
    const widest = Math.max(0, ...hidden);
    const total = hidden.reduce((sum, n) => sum + n, 0);
    const scalar = network.layers.filter(({ kind }) => kind !== "linear").map(isScalar);
    const mixed = scalar.includes(true) && scalar.includes(false);
    const long = mixed ? total > DENSE_WIDTH : (scalar.includes(true) ? total : widest) > LONG_FROM;
    if (widest <= WIDEST_LAYER && long && !(options.norm === "l2" && split === 1)) {
      note(
        `A programme of ${total} hidden neurons may take minutes, and hours where layers have a thousand. --norm l2 --split 1 gives the product of the layers' norms at once, --split 2 the bounds of pairs of layers; --state keeps what is interrupted.`,
      );
    }
    if (widest > WIDEST_LAYER) {
      note(
        `A layer has ${widest} neurons: programmes are solved up to ${WIDEST_LAYER}, and the product of the layers' norms is given. bound-locally bounds such networks around a point.`,
      );
    }
    const last = neurons(network.layers[network.layers.length - 1]);
    const missing = outputs?.find((row) => row >= last);
    if (missing !== undefined) throw new Failure(`--rows has ${missing}; the network's outputs are 0 to ${last - 1}`);
    const chosen: readonly NormPair[] = norms[options.norm];
    const results: { norm: NormPair; product: number; result: LipschitzBound }[] = [];
    // States of the norms that are done, and of the one being solved: a finished bound resumes as itself.
    const run = await longRun<ProgrammeProgress, readonly ProgrammeState[]>({
      progress: ({ iteration }) => ({
        fraction: (results.length + iteration / maxIterations) / chosen.length,
        label: chosen[results.length] ?? "",
      }),
    });
    const { resume = [], checkpoint, ...shown } = run.options;
    for (const norm of chosen) {
      const before = results.map(({ result }) => result.state);
      const state = resume[results.length];
      const result = await lipschitzBound(network, {
        norm,
        multipliers,
        ...(outputs && { outputs }),
        ...(split !== undefined && norm === "l2" && { splitSize: split }),
        tolerance,
        maxIterations,
        ...shown,
        checkpoint: { ...checkpoint, save: (current) => checkpoint.save([...before, current]) },
        ...(state && { resume: state }),
      });
      if (result.status === "aborted") await run.settle({ status: result.status, state: [...before, result.state] });
      const same = result.source === "product" && outputs === undefined;
      const product = same ? result.value : productBound(network, norm);
      results.push({ norm, product, result });
      report([
        [norm === "l2" ? "l2 -> l2" : "linf -> l1", shownBound(result)],
        ...(outputs === undefined ? [["product of the layers' norms", product.toPrecision(7)] as const] : []),
      ]);
    }
    await run.settle({ status: "converged", state: results.map(({ result }) => result.state) });
    const plain = (_: string, value: unknown) => (value instanceof Float64Array ? Array.from(value) : value);
    const rows = results.map(({ result: { state: _state, history: _history, ...result }, ...row }) => ({
      ...row,
      result,
    }));
    await write(options.output, `${JSON.stringify(rows, plain, 2)}\n`);
  },
});

/**
 * Neurons of a layer of groups, and of all layers of scalar activations, from which a programme takes minutes; of both kinds
 * it does from where it is dense no more.
 */
const LONG_FROM = 400;

const isScalar = ({ kind }: Layer): boolean => kind === "scalar" || kind === "slope" || kind === "mixed";

const neurons = (layer: Layer): number => (layer.kind === "linear" ? asTensor(layer.weight).shape[0] : 0);

function describe(layers: readonly Layer[]): string {
  const shapes = layers.flatMap((layer) => (layer.kind === "linear" ? [asTensor(layer.weight).shape] : []));
  const kinds = layers.flatMap((layer) => {
    if (layer.kind === "linear") return [];
    if (layer.kind === "slope") return [`slopes in [${layer.alpha}, ${layer.beta}]`];
    return [layer.kind === "scalar" ? layer.name : layer.kind];
  });
  const distinct = [...new Set(kinds)];
  const widths = [shapes[0]![1], ...shapes.map(([outputs]) => outputs)].join("-");
  return `${widths}, ${distinct.length === 0 ? "linear" : distinct.join(" and ")}`;
}

function shownBound({ value, source, status, iterations }: LipschitzBound): string {
  // Seven digits, rounded upwards: what is printed is a bound as well.
  const digits = Math.max(0, 6 - Math.floor(Math.log10(value)));
  const bound = value > 0 ? Math.ceil(value * 10 ** digits * (1 + 1e-15)) / 10 ** digits : value;
  const how = source === "product" ? "product of norms" : `solver ${status}, ${iterations} iterations`;
  return `L <= ${bound.toPrecision(7)} (certified; ${how})`;
}
