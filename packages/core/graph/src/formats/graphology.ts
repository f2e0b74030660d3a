import { requireObject } from "@offprint/tensor-core";
import { Graph } from "../graph.js";

/** The part of a graphology graph that is read. */
export interface GraphologyLike {
  /** Names of the nodes. */
  nodes(): string[];
  /** Calls `visit` for every edge. */
  forEachEdge(
    visit: (
      edge: string,
      attributes: Record<string, unknown>,
      source: string,
      target: string,
      sourceAttributes: Record<string, unknown>,
      targetAttributes: Record<string, unknown>,
      undirected: boolean,
    ) => void,
  ): void;
  /** What is known of a node. */
  getNodeAttributes(node: string): Record<string, unknown>;
}

/** A graph of another library as one of this, with what was known of its nodes. */
export interface ImportedGraph {
  /** The graph, its nodes numbered in the order of the names. */
  readonly graph: Graph;
  /** In the order of the node numbers. */
  readonly nodeNames: string[];
  /** In the order of the node numbers. */
  readonly nodeAttributes: Record<string, unknown>[];
}

/**
 * A graph of the graphology library, and through its readers GraphML (`graphology-graphml`) and GEXF
 * (`graphology-gexf`) files. Undirected edges go both ways. Edges have weights where one has a number for `weight`; others then weigh 1.
 */
export function fromGraphology(source: GraphologyLike): ImportedGraph {
  requireObject("fromGraphology", "source", source, "a GraphologyLike");
  const nodeNames = source.nodes();
  const places = new Map(nodeNames.map((name, i) => [name, i]));
  const sources: number[] = [];
  const targets: number[] = [];
  const weights: number[] = [];
  let weighted = false;
  source.forEachEdge((_, { weight }, from, to, _from, _to, undirected) => {
    const [a, b] = [places.get(from) as number, places.get(to) as number];
    const value = Number(weight ?? 1);
    if (weight !== undefined && Number.isFinite(value)) weighted = true;
    const add = (s: number, t: number) => {
      sources.push(s);
      targets.push(t);
      weights.push(Number.isFinite(value) ? value : 1);
    };
    add(a, b);
    if (undirected && a !== b) add(b, a);
  });
  return {
    graph: new Graph(nodeNames.length, sources, targets, weighted ? { weights } : {}),
    nodeNames,
    nodeAttributes: nodeNames.map((name) => source.getNodeAttributes(name)),
  };
}
