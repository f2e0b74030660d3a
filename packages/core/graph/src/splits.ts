import { checkOptions, type Rng, requireObject, ValueError } from "@offprint/tensor-core";
import { Graph } from "./graph.js";
import type { NodeSplit } from "./node-data.js";

/** Options of `nodeFolds`. */
export interface NodeFoldOptions {
  /** Where the order comes from. */
  rng: Rng;
  /** Number of folds, >= 2; each is the test set once. Default 5. */
  folds?: number;
  /** Part of the rest that is for validation, in [0, 1). Default 0.2. */
  validation?: number;
}

const nodeFoldNames = ["rng", "folds", "validation"];

/**
 * Cross-validation over nodes: each fold is the test set once, part of the rest is for validation. The defaults give
 * 64 % training, 16 % validation and 20 % test nodes.
 */
export function nodeFolds(nodes: number, options: NodeFoldOptions): NodeSplit[] {
  checkOptions("nodeFolds", options, nodeFoldNames, ["rng"]);
  const { rng, folds = 5, validation = 0.2 } = options;
  if (!Number.isInteger(folds) || folds < 2 || folds > nodes) {
    throw new ValueError(`nodeFolds: ${folds} folds of ${nodes} nodes; give an integer from 2 to the number of nodes`);
  }
  requirePart("nodeFolds", validation);
  const order = rng.permutation(nodes).data();
  return Array.from({ length: folds }, (_, fold) => {
    const from = Math.round((fold * nodes) / folds);
    const to = Math.round(((fold + 1) * nodes) / folds);
    const rest = [...order.slice(0, from), ...order.slice(to)];
    const held = Math.round(validation * rest.length);
    return {
      train: mask(nodes, rest.slice(held)),
      validation: mask(nodes, rest.slice(0, held)),
      test: mask(nodes, order.slice(from, to)),
    };
  });
}

/** One random split: the first fold of `nodeFolds`. */
export function nodeSplit(nodes: number, options: NodeFoldOptions): NodeSplit {
  checkOptions("nodeSplit", options, nodeFoldNames, ["rng"]);
  return nodeFolds(nodes, options)[0];
}

function requirePart(owner: string, part: number): void {
  if (!(part >= 0 && part < 1)) throw new ValueError(`${owner}: a part of ${part}; it must be in [0, 1)`);
}

/** `[length]` with ones at the given places. */
export function mask(length: number, places: Iterable<number>): Uint8Array {
  requireObject("mask", "places", places, "an array of numbers");
  const out = new Uint8Array(length);
  for (const i of places) out[i] = 1;
  return out;
}

/** The places where a mask is not 0. */
export function maskIndices(chosen: Uint8Array): Int32Array {
  requireObject("maskIndices", "chosen", chosen, "a Uint8Array");
  const out: number[] = [];
  for (let i = 0; i < chosen.length; i++) if (chosen[i] !== 0) out.push(i);
  return Int32Array.from(out);
}

/** Pairs of nodes that are linked, and as many that are not: `[pairs, 2]` each, row by row. */
export interface LinkPairs {
  /** Linked pairs. */
  readonly positive: Int32Array;
  /** As many pairs that are not linked. */
  readonly negative: Int32Array;
}

/** Links to learn from, to choose by and to judge by. */
export interface LinkSplit {
  /** Pairs to learn from. */
  readonly train: LinkPairs;
  /** Pairs to choose by. */
  readonly validation: LinkPairs;
  /** Pairs to judge by. */
  readonly test: LinkPairs;
  /** Messages along training links, both ways: for training and validation. */
  readonly trainGraph: Graph;
  /** Messages along training and validation links, both ways: for testing. */
  readonly testGraph: Graph;
}

/** Options of `linkSplit`. */
export interface LinkSplitOptions {
  /** Where order and negatives come from. */
  rng: Rng;
  /** Part for testing, in [0, 1). Default 0.2. */
  test?: number;
  /** Part for validation, in [0, 1). Default 0.16. */
  validation?: number;
}

/**
 * A random split of the links of an undirected graph (each pair counts once, loops do not), with one pair that is no
 * link, drawn once and for all, for each.
 * @throws ValueError where the graph has too few pairs that are not linked.
 */
export function linkSplit(graph: Graph, options: LinkSplitOptions): LinkSplit {
  requireObject("linkSplit", "graph", graph, "a Graph");
  checkOptions("linkSplit", options, ["rng", "test", "validation"], ["rng"]);
  const { rng, test = 0.2, validation = 0.16 } = options;
  requirePart("linkSplit", test);
  requirePart("linkSplit", validation);
  requirePart("linkSplit", test + validation);
  const links = [...linkKeys(graph)];
  const shuffled = Array.from(rng.permutation(links.length).data(), (i) => links[i]);
  const negatives = sampleNonLinks(graph, links.length, rng);
  const testCount = Math.round(test * links.length);
  const validationCount = Math.round(validation * links.length);
  const part = (from: number, to: number): LinkPairs => ({
    positive: pairsOf(graph.nodes, shuffled.slice(from, to)),
    negative: negatives.slice(2 * from, 2 * to),
  });
  const held = testCount + validationCount;
  const train = part(held, links.length);
  const validated = part(testCount, held);
  return {
    train,
    validation: validated,
    test: part(0, testCount),
    trainGraph: bothWays(graph.nodes, [train.positive]),
    testGraph: bothWays(graph.nodes, [train.positive, validated.positive]),
  };
}

/** Each linked pair of different nodes once, as lower * nodes + higher. */
function linkKeys({ nodes, edges, sources, targets }: Graph): Set<number> {
  const keys = new Set<number>();
  for (let e = 0; e < edges; e++) {
    const low = Math.min(sources[e], targets[e]);
    const high = Math.max(sources[e], targets[e]);
    if (low !== high) keys.add(low * nodes + high);
  }
  return keys;
}

function pairsOf(nodes: number, keys: readonly number[]): Int32Array {
  const out = new Int32Array(2 * keys.length);
  keys.forEach((key, i) => {
    out[2 * i] = Math.floor(key / nodes);
    out[2 * i + 1] = key % nodes;
  });
  return out;
}

function bothWays(nodes: number, lists: readonly Int32Array[]): Graph {
  const total = lists.reduce((sum, pairs) => sum + pairs.length, 0);
  const sources = new Int32Array(total);
  const targets = new Int32Array(total);
  let e = 0;
  for (const pairs of lists) {
    for (let i = 0; i < pairs.length; i += 2, e += 2) {
      sources[e] = targets[e + 1] = pairs[i];
      targets[e] = sources[e + 1] = pairs[i + 1];
    }
  }
  return new Graph(nodes, sources, targets);
}

/**
 * Different pairs of nodes that are not linked, `[count, 2]` row by row, lower node first.
 * @throws ValueError where there are not so many.
 */
export function sampleNonLinks(graph: Graph, count: number, rng: Rng): Int32Array {
  requireObject("sampleNonLinks", "graph", graph, "a Graph");
  requireObject("sampleNonLinks", "rng", rng, "a generator of random.rng(seed)");
  const { nodes } = graph;
  const taken = linkKeys(graph);
  const free = (nodes * (nodes - 1)) / 2 - taken.size;
  if (count > free) {
    throw new ValueError(`sampleNonLinks: the graph has ${free} pairs that are not linked, fewer than ${count}`);
  }
  const found: number[] = [];
  if (count > free / 3) {
    // Dense: list them, rather than hit them by chance.
    for (let i = 0; i < nodes; i++) {
      for (let j = i + 1; j < nodes; j++) if (!taken.has(i * nodes + j)) found.push(i * nodes + j);
    }
    const order = rng.permutation(found.length).data();
    return pairsOf(
      nodes,
      Array.from(order.slice(0, count), (i) => found[i]),
    );
  }
  while (found.length < count) {
    const ends = rng.randint([2 * (count - found.length)], { high: nodes }).data();
    for (let i = 0; i < ends.length; i += 2) {
      const low = Math.min(ends[i], ends[i + 1]);
      const high = Math.max(ends[i], ends[i + 1]);
      const key = low * nodes + high;
      if (low === high || taken.has(key)) continue;
      taken.add(key);
      found.push(key);
    }
  }
  return pairsOf(nodes, found);
}
