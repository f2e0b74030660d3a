import { FormatError } from "@offprint/tensor-core";
import { Graph } from "../graph.js";
import type { GraphData } from "../node-data.js";
import { classesOf, failAtLine, numbersOf, type TextFile, textLines } from "./text-lines.js";

/**
 * A set of graphs in the text format of GIN: the number of graphs; per graph a line `nodes label`, then per node a
 * line `tag degree neighbours...` (anything after the neighbours is left out). Each listed neighbour is an edge from it.
 * @see Xu et al., ICLR 2019, arXiv 1810.00826.
 */
export function readGinText(file: TextFile, name = "GIN"): GraphData {
  const lines = textLines("GIN text", file);
  let next = 0;
  const line = () => {
    if (next >= lines.length) throw new FormatError("GIN text: the file ends too early; it is truncated");
    return lines[next++];
  };
  const [count] = numbersOf("GIN text", line(), true);
  const graphs: Graph[] = [];
  const nodeLabels: Int32Array[] = [];
  const rawLabels: number[] = [];
  for (let g = 0; g < count; g++) {
    const header = line();
    const [nodes, label] = numbersOf("GIN text", header, true);
    if (!(nodes >= 0) || label === undefined) failAtLine("GIN text", header, "a graph begins with nodes and label");
    const left = lines.length - next;
    if (nodes > left) failAtLine("GIN text", header, `${nodes} nodes, and ${left} lines are left; it is truncated`);
    const [sources, targets]: [number[], number[]] = [[], []];
    const tags = new Int32Array(nodes);
    for (let i = 0; i < nodes; i++) {
      const row = line();
      const [tag, degree, ...rest] = numbersOf("GIN text", row);
      if (!(degree >= 0 && rest.length >= degree))
        failAtLine("GIN text", row, `${degree} neighbours are not all there`);
      tags[i] = tag;
      for (const other of rest.slice(0, degree)) {
        if (!(Number.isInteger(other) && other >= 0 && other < nodes)) {
          failAtLine("GIN text", row, `neighbour ${other} is not among ${nodes} nodes`);
        }
        sources.push(other);
        targets.push(i);
      }
    }
    graphs.push(new Graph(nodes, sources, targets));
    nodeLabels.push(tags);
    rawLabels.push(label);
  }
  return { name, graphs, nodeLabels, ...classesOf(rawLabels) };
}
