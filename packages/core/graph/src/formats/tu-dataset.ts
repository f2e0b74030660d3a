import { FormatError, requireObject, type Tensor, tensor } from "@offprint/tensor-core";
import { Graph } from "../graph.js";
import type { GraphData } from "../node-data.js";
import { classesOf, failAtLine, numbersOf, type TextFile, textLines } from "./text-lines.js";

/** The files of a TUDataset, `NAME_A.txt` and so on. */
export interface TuFiles {
  /** `NAME_A.txt`: a line `row, column` per directed edge, nodes from 1. */
  readonly edges: TextFile;
  /** `NAME_graph_indicator.txt`: the graph of each node, from 1. */
  readonly graphIndicator: TextFile;
  /** `NAME_graph_labels.txt` */
  readonly graphLabels: TextFile;
  /** `NAME_node_labels.txt` */
  readonly nodeLabels?: TextFile;
  /** `NAME_node_attributes.txt` */
  readonly nodeAttributes?: TextFile;
  /** `NAME_edge_attributes.txt` */
  readonly edgeAttributes?: TextFile;
}

/** Names of the files after `NAME_`, by field. */
export const tuSuffixes: Readonly<Record<keyof TuFiles, string>> = {
  edges: "A.txt",
  graphIndicator: "graph_indicator.txt",
  graphLabels: "graph_labels.txt",
  nodeLabels: "node_labels.txt",
  nodeAttributes: "node_attributes.txt",
  edgeAttributes: "edge_attributes.txt",
};

function table(format: string, file: TextFile, rows: number): number[][] {
  const lines = textLines(format, file);
  if (lines.length !== rows) throw new FormatError(`${format}: ${lines.length} lines; there must be ${rows}`);
  const width = lines.length === 0 ? 0 : numbersOf(format, lines[0]).length;
  return lines.map((line) => {
    const numbers = numbersOf(format, line);
    if (numbers.length !== width) {
      failAtLine(format, line, "as many numbers as in the first line must be given");
    }
    return numbers;
  });
}

function rowsOf(values: readonly (readonly number[])[], chosen: readonly number[]): Tensor {
  const width = values[0]?.length ?? 0;
  return tensor(Float32Array.from(chosen.flatMap((i) => values[i])), { shape: [chosen.length, width] });
}

/**
 * A set of graphs in the text format of the TUDataset collection. Class numbers are those of the file in order.
 * @see Morris et al., 2020, arXiv 2007.08663.
 */
export function readTuDataset(files: TuFiles, name = "TUDataset"): GraphData {
  requireObject("readTuDataset", "files", files, "TuFiles");
  const integers = (format: string, file: TextFile) =>
    textLines(format, file).map((line) => numbersOf(format, line, true));
  const owner = integers("TUDataset graph indicator", files.graphIndicator).map(([id]) => id - 1);
  const rawLabels = integers("TUDataset graph labels", files.graphLabels).map(([label]) => label);
  const count = rawLabels.length;
  const members: number[][] = Array.from({ length: count }, () => []);
  const place = owner.map((id, node) => {
    if (members[id] === undefined)
      throw new FormatError(`TUDataset: node ${node + 1} is in graph ${id + 1} of ${count}`);
    return members[id].push(node) - 1;
  });
  const edgesOf: number[][] = members.map(() => []);
  const lines = textLines("TUDataset A", files.edges);
  const edges = lines.map((line, e) => {
    const [from, to] = numbersOf("TUDataset A", line, true).map((node) => node - 1);
    if (place[from] === undefined || place[to] === undefined || owner[from] !== owner[to]) {
      failAtLine("TUDataset A", line, `nodes ${from + 1} and ${to + 1} are not in one graph`);
    }
    edgesOf[owner[from]].push(e);
    return [from, to];
  });
  const { nodeAttributes, nodeLabels, edgeAttributes } = files;
  const attributes = nodeAttributes && table("TUDataset node attributes", nodeAttributes, owner.length);
  const kinds = nodeLabels && table("TUDataset node labels", nodeLabels, owner.length);
  const edgeValues = edgeAttributes && table("TUDataset edge attributes", edgeAttributes, edges.length);
  return {
    name,
    graphs: members.map((list, id) => {
      const sources = Int32Array.from(edgesOf[id], (e) => place[edges[e][0]]);
      return new Graph(
        list.length,
        sources,
        Int32Array.from(edgesOf[id], (e) => place[edges[e][1]]),
      );
    }),
    ...classesOf(rawLabels),
    ...(attributes && { features: members.map((list) => rowsOf(attributes, list)) }),
    ...(kinds && { nodeLabels: members.map((list) => Int32Array.from(list, (i) => kinds[i][0])) }),
    ...(edgeValues && { edgeFeatures: edgesOf.map((list) => rowsOf(edgeValues, list)) }),
  };
}
