import { checkOptions, requireObject } from "@offprint/tensor-core";
import { Graph } from "../graph.js";
import { failAtLine, type TextFile, type TextLine, textLines } from "./text-lines.js";

/** Options of `readEdgeList`. */
export interface EdgeListOptions {
  /** Whether each line is an edge both ways. Default false. */
  undirected?: boolean;
  /** Number of nodes, if nodes are numbers from 0; else nodes are named in the order in which they come. */
  nodes?: number;
}

/**
 * Edges one a line, `source,target` or `source,target,weight`, separated by commas, tabs or blanks. Lines that begin
 * with `#` or `%` are comments; a first line whose third cell is a word, or `source,target`, is a heading.
 */
export function readEdgeList(file: TextFile, options: EdgeListOptions = {}): { graph: Graph; nodeNames: string[] } {
  checkOptions("readEdgeList", options, ["undirected", "nodes"]);
  const numbered = options.nodes !== undefined;
  const names = new Map<string, number>();
  const place = (line: TextLine, name: string) => {
    if (name === "") failAtLine("edge list", line, "the name of a node is missing");
    if (options.nodes !== undefined) {
      const node = Number(name);
      if (Number.isInteger(node) && node >= 0 && node < options.nodes) return node;
      failAtLine("edge list", line, `${name.slice(0, 40)} is not among the nodes 0 to ${options.nodes - 1}`);
    }
    let node = names.get(name);
    if (node === undefined) names.set(name, (node = names.size));
    return node;
  };
  const sources: number[] = [];
  const targets: number[] = [];
  const weights: number[] = [];
  let width = 0;
  const lines = textLines("edge list", file).filter(({ text }) => !/^\s*[#%]/.test(text));
  lines.forEach((line, i) => {
    const cells = line.text.trim().split(/\s*[,;]\s*|\s+/);
    if (i === 0 && isHeading(cells)) return;
    if (cells.length !== 2 && cells.length !== 3)
      failAtLine("edge list", line, `${cells.length} cells; 2 or 3 are read`);
    if (width !== 0 && cells.length !== width) failAtLine("edge list", line, "all lines must have equally many cells");
    width = cells.length;
    const weight = cells.length === 3 ? Number(cells[2]) : 1;
    if (!Number.isFinite(weight)) failAtLine("edge list", line, `weight "${cells[2]}" is no number`);
    const [from, to] = [place(line, cells[0]), place(line, cells[1])];
    sources.push(from);
    targets.push(to);
    weights.push(weight);
    if (options.undirected && from !== to) {
      sources.push(to);
      targets.push(from);
      weights.push(weight);
    }
  });
  const graph = new Graph(options.nodes ?? names.size, sources, targets, width === 3 ? { weights } : {});
  const nodeNames = numbered ? Array.from({ length: graph.nodes }, (_, i) => String(i)) : [...names.keys()];
  return { graph, nodeNames };
}

function isHeading(cells: readonly string[]): boolean {
  if (cells.length === 3 && !Number.isFinite(Number(cells[2]))) return true;
  return /^(source|from|src|node_?1|id_?1)$/i.test(cells[0]);
}

/** Edges one a line, `source,target`, with the weight where the graph has weights. */
export function writeEdgeList(graph: Graph): string {
  requireObject("writeEdgeList", "graph", graph, "a Graph");
  const { edges, sources, targets, weights } = graph;
  let text = weights === undefined ? "source,target\n" : "source,target,weight\n";
  for (let e = 0; e < edges; e++) {
    text += `${sources[e]},${targets[e]}${weights === undefined ? "" : `,${weights[e]}`}\n`;
  }
  return text;
}
