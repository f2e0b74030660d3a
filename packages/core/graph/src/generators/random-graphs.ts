import { type Rng, requireInteger, tensor, ValueError } from "@offprint/tensor-core";
import { type Graph, undirected } from "../graph.js";
import { eachWithProbability, pairAt, requireProbability } from "./pairs.js";

function fromPairs(pairs: readonly number[], nodes: number): Graph {
  return undirected(tensor(Int32Array.from(pairs), { shape: [pairs.length / 2, 2] }), nodes);
}

/** Erdos-Renyi graph: every pair is linked with the same probability. */
export function erdosRenyi(nodes: number, probability: number, rng: Rng): Graph {
  requireInteger("erdosRenyi", "nodes", nodes, 0);
  requireProbability("erdosRenyi", "probability", probability);
  const pairs: number[] = [];
  eachWithProbability((nodes * (nodes - 1)) / 2, probability, rng, (k) => pairs.push(...pairAt(k)));
  return fromPairs(pairs, nodes);
}

/**
 * Barabasi-Albert graph: each node after the first `links` is linked to that many different earlier ones, chosen in
 * proportion to their degree.
 */
export function barabasiAlbert(nodes: number, links: number, rng: Rng): Graph {
  requireInteger("barabasiAlbert", "links", links, 1);
  requireInteger("barabasiAlbert", "nodes", nodes, links + 1);
  const pairs: number[] = [];
  // Every end of every link: a node comes as often as its degree.
  const ends: number[] = [];
  for (let node = links; node < nodes; node++) {
    const chosen = new Set<number>();
    if (node === links) for (let i = 0; i < links; i++) chosen.add(i);
    while (chosen.size < links) chosen.add(ends[rng.randint([], { high: ends.length }).item()]);
    for (const other of chosen) {
      pairs.push(other, node);
      ends.push(other, node);
    }
  }
  return fromPairs(pairs, nodes);
}

/** Random geometric graph: points uniform in the unit cube, linked where closer than `radius`. */
export function randomGeometric(
  nodes: number,
  radius: number,
  rng: Rng,
  dimension = 2,
): { graph: Graph; positions: Float64Array } {
  requireInteger("randomGeometric", "nodes", nodes, 0);
  requireInteger("randomGeometric", "dimension", dimension, 1);
  if (!(radius >= 0)) throw new ValueError(`randomGeometric: radius is ${radius}; it must be >= 0`);
  const positions = rng.uniform([nodes, dimension], { dtype: "float64" }).data() as Float64Array;
  const pairs: number[] = [];
  for (let i = 0; i < nodes; i++) {
    for (let j = i + 1; j < nodes; j++) {
      let squared = 0;
      for (let k = 0; k < dimension; k++) squared += (positions[i * dimension + k] - positions[j * dimension + k]) ** 2;
      if (squared < radius * radius) pairs.push(i, j);
    }
  }
  return { graph: fromPairs(pairs, nodes), positions };
}

/** Grid of `rows` by `columns` nodes, numbered row by row, each linked to the next ones right and below. */
export function grid(rows: number, columns: number): Graph {
  requireInteger("grid", "rows", rows, 1);
  requireInteger("grid", "columns", columns, 1);
  const pairs: number[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const node = i * columns + j;
      if (j + 1 < columns) pairs.push(node, node + 1);
      if (i + 1 < rows) pairs.push(node, node + columns);
    }
  }
  return fromPairs(pairs, rows * columns);
}
