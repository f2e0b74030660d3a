import { batch as beside, edgeListOf, type Graph, type GraphTensors, graphTensors } from "@offprint/graph";
import type { FloatType } from "@offprint/nn";
import { asTensor, ShapeError, type Tensor, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";
import type { GraphInput, GraphModel } from "./model.js";

/** A graph with its features. */
export interface GraphFeatures {
  /** Directed edges; a message goes from source to target. */
  readonly graph: Graph;
  /** `[nodes, nodeInputs]` */
  readonly nodes: TensorLike;
  /** `[edges, edgeInputs]`, in the order of the graph's edges. */
  readonly edges: TensorLike;
}

/** A graph to learn from. */
export interface GraphSample extends GraphFeatures {
  /** `[nodes, outputs]`, or `[outputs]` of a graph; for cross-entropy the class, an integer. */
  readonly targets: TensorLike;
}

/** Graphs side by side, filled up so that others of about the same size have the same shapes. */
export interface FilledBatch {
  readonly lists: GraphTensors;
  /** `[nodes, nodeInputs]` */
  readonly nodes: Tensor;
  /** `[edges, edgeInputs]` */
  readonly edges: Tensor;
}

/** The next number of the kind 4, 5, 6 or 7 times a power of two: at most a quarter is filled up. */
export function roundedUp(count: number): number {
  if (count <= 8) return count;
  const step = 2 ** (Math.floor(Math.log2(count)) - 2);
  return Math.ceil(count / step) * step;
}

/** Extents that batches are filled up to. */
export interface Extents {
  readonly nodes: number;
  readonly edges: number;
  readonly graphs: number;
}

/**
 * Extents that nearly all batches of `size` of the samples fit into: means and three standard deviations, at most those of
 * the largest samples.
 */
export function usualExtents(samples: readonly GraphFeatures[], size: number): Extents {
  const usual = (name: "nodes" | "edges") => {
    const counts = samples.map(({ graph }) => graph[name]).sort((a, b) => b - a);
    const mean = counts.reduce((total, c) => total + c, 0) / counts.length;
    const variance = counts.reduce((total, c) => total + (c - mean) ** 2, 0) / counts.length;
    const largest = counts.slice(0, size).reduce((total, c) => total + c, 0);
    return Math.min(largest, Math.ceil(size * mean + 3 * Math.sqrt(size * variance)));
  };
  return { nodes: usual("nodes") + 1, edges: usual("edges"), graphs: size + 1 };
}

/**
 * @param usual extents to fill up to where the batch fits into them
 * @throws ShapeError where features do not fit graph or model.
 */
export function filledBatch(
  owner: string,
  model: Pick<GraphModel, "nodeInputs" | "edgeInputs">,
  samples: readonly GraphFeatures[],
  dtype: FloatType,
  usual?: Extents,
): FilledBatch {
  if (samples.length === 0) throw new ValueError(`${owner}: there are no graphs; give at least one`);
  const joined = beside(samples.map(({ graph }) => graph));
  const extent = (name: keyof Extents, count: number) =>
    usual !== undefined && count <= usual[name] ? usual[name] : roundedUp(count);
  const extents = {
    nodes: extent("nodes", joined.nodes + 1),
    edges: extent("edges", joined.edges),
    graphs: extent("graphs", samples.length + 1),
  };
  const rows = (name: "nodes" | "edges", width: number) =>
    filledRows(
      owner,
      name,
      samples.map((sample) => [sample[name], sample.graph[name]]),
      width,
      extents[name],
      dtype,
    );
  return {
    lists: graphTensors(joined, { ...extents, dtype }),
    nodes: rows("nodes", model.nodeInputs),
    edges: rows("edges", model.edgeInputs),
  };
}

/** @internal Rows of several matrices below one another, zeros below them. */
export function filledRows(
  owner: string,
  name: string,
  parts: readonly (readonly [TensorLike, number])[],
  width: number,
  total: number,
  dtype: FloatType,
): Tensor {
  const out = dtype === "float64" ? new Float64Array(total * width) : new Float32Array(total * width);
  let at = 0;
  parts.forEach(([values, rows], i) => {
    const t = asTensor(values);
    if (t.rank !== 2 || t.shape[0] !== rows || t.shape[1] !== width) {
      throw new ShapeError(`${owner}: ${name} of graph ${i} have shape [${t.shape}]; they must be [${rows}, ${width}]`);
    }
    const flat = t.data();
    for (let k = 0; k < flat.length; k++) {
      if (!Number.isFinite(flat[k])) {
        throw new ValueError(`${owner}: ${name} of graph ${i} must be finite, got ${flat[k]} at ${k}`);
      }
      out[at + k] = flat[k];
    }
    at += flat.length;
  });
  return tensor(out, { shape: [total, width] });
}

/** What a model takes, of a filled batch. */
export function inputOf({ lists, nodes, edges }: FilledBatch): GraphInput {
  return { graph: edgeListOf(lists), nodes, edges, masks: { nodes: lists.nodeMask, edges: lists.edgeMask } };
}
