import { type Claim, meanOf } from "@offprint/claims";
import { digits } from "@offprint/datasets";
import { linkSplit, nearestNeighbourGraph, subgraph } from "@offprint/graph";
import { arange, div, random, sum, take } from "@offprint/tensor-core";
import { fitLinkPredictor, type LinkMethod, type LinkTask, linkAuc } from "../src/index.js";
import { percent, runOptions } from "./trained.js";

/** How the claim trains. */
export type LinkFitter = typeof fitLinkPredictor;

/** Digits linked with their 6 nearest by pixels (all 1797 compared), the first 500 of them and the links among these. */
function digitLinks() {
  const set = digits();
  const chosen = arange(0, 500, 1, "int32");
  const { graph } = subgraph(nearestNeighbourGraph(set.inputs, 6), chosen);
  const pixels = take(set.inputs, chosen);
  return { graph, features: div(pixels, sum(pixels, { axis: 1, keepDims: true })) };
}

/** Mean AUC by depth 2 and 4. */
export interface LinkAucs {
  readonly ce: readonly [number, number];
  readonly bp: readonly [number, number];
}

/** Cross-entropy layer by layer is well above backpropagation, more so when deep, and does not fall with depth. */
export function judgeLinks({ ce, bp }: LinkAucs): boolean {
  return ce[0] - bp[0] >= 0.05 && ce[1] - bp[1] >= 0.1 && Math.abs(ce[1] - ce[0]) <= 0.02;
}

/** Link prediction on a real graph. */
export function links(train: LinkFitter = fitLinkPredictor, runs = 2): Claim {
  return {
    id: "links",
    statement: "Layer-wise link prediction is clearly better than backpropagation, and does not fall with depth",
    source: "Table 3",
    paper: "AUC CE 93.61 / 93.61 %, BP 84.31 / 80.05 % (GCN, CiteSeer, 2 / 4 layers)",
    async run(context) {
      const { graph, features } = digitLinks();
      const full = context.scale === "full";
      const methods: LinkMethod[] = full ? ["ce", "bp", "ff", "ce-top-to-input"] : ["ce", "bp"];
      const rows = new Map<LinkMethod, number[][]>(methods.map((m) => [m, []]));
      for (let run = 0; run < runs; run++) {
        const task = { features, split: linkSplit(graph, { rng: random.rng(`${context.seed}/links/${run}`) }) };
        for (const [m, method] of methods.entries()) {
          const options = { hidden: 32, learningRate: 1e-2, validateEvery: 5, patience: 20, epochs: 200, seed: run };
          rows.get(method)?.push(await aucs(train, task, method, { ...options, ...runOptions(context) }));
          await context.onProgress((run + (m + 1) / methods.length) / runs, `${method}, split ${run + 1} of ${runs}`);
        }
      }
      const both = (method: LinkMethod): [number, number] => {
        const values = rows.get(method) ?? [];
        return [meanOf(values.map((v) => v[0])), meanOf(values.map((v) => v[1]))];
      };
      const [ce, bp] = [both("ce"), both("bp")];
      return {
        measured: { "CE, 2 layers": ce[0], "CE, 4 layers": ce[1], "BP, 2 layers": bp[0], "BP, 4 layers": bp[1] },
        holds: judgeLinks({ ce, bp }),
        detail:
          `Mean AUC of ${runs} splits of the links between ${graph.nodes} digits, GCN: CE must be 5 points above BP with 2 layers ` +
          `(${percent(ce[0])} and ${percent(bp[0])}), 10 with 4 (${percent(ce[1])} and ${percent(bp[1])}), and change by at most 2 with ` +
          "depth. The graph was made from the pixels, so that their cosine alone gives 99.5 %: what is compared is how the networks learn.",
        series: [
          {
            kind: "bar",
            title: "AUC on test links",
            category: "depth",
            categories: ["2 layers", "4 layers"],
            value: { label: "AUC" },
            bars: methods.map((m) => ({ name: m, values: both(m) })),
          },
        ],
      };
    },
  };
}

/** Test AUC with 2 and 4 layers; the lower layers of layer-wise methods are the shallower model. */
async function aucs(train: LinkFitter, task: LinkTask, method: LinkMethod, options: object): Promise<number[]> {
  if (method === "ce" || method === "ff") {
    const { model } = await train(task, method, { ...options, layers: 4 });
    return [await linkAuc(model, task, { layers: 2 }), await linkAuc(model, task)];
  }
  const values: number[] = [];
  for (const layers of [2, 4])
    values.push(await linkAuc((await train(task, method, { ...options, layers })).model, task));
  return values;
}
