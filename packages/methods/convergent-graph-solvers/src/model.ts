import type { EdgeList } from "@offprint/graph";
import type { FloatType } from "@offprint/nn";
import type { Rng, Tensor } from "@offprint/tensor-core";

/** A graph with its features, or a batch of graphs as one. */
export interface GraphInput {
  /** Who is linked with whom. */
  readonly graph: EdgeList;
  /** `[nodes, nodeInputs]` */
  readonly nodes: Tensor;
  /** `[edges, edgeInputs]` */
  readonly edges: Tensor;
  /** Which nodes (`[nodes]`) and edges (`[edges]`) count: 1 or 0. Default all. */
  readonly masks?: { readonly nodes: Tensor; readonly edges: Tensor } | undefined;
}

/** What a model gives. */
export interface GraphOutput {
  /** `[nodes, outputs]`, or `[graphs, outputs]` where the model reads graphs out. */
  readonly y: Tensor;
  /** Iterations to the fixed point, 0 where there is none; a scalar. */
  readonly iterations: Tensor;
  /** Norm of the last change of the state, 0 where there is none; a scalar. */
  readonly change: Tensor;
  /** Share of the edges' weights that a clip leaves without a gradient; a scalar. */
  readonly saturated: Tensor;
}

/** A model of graphs: how to make its parameters, and what it computes with them. It holds no state. */
export interface GraphModel<P = unknown> {
  /** Its name, in files and messages. */
  readonly name: string;
  /** Features of a node that come in. */
  readonly nodeInputs: number;
  /** Features of an edge that come in. */
  readonly edgeInputs: number;
  /** Numbers that come out, for each node or each graph. */
  readonly outputs: number;
  /** How nodes are put together for a graph; `none` where each node has outputs of its own. */
  readonly readout: Readout;
  /** Draws initial parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): P;
  /** Pure and traceable. */
  apply(params: P, input: GraphInput): GraphOutput;
}

/** How nodes are put together for a graph. */
export type Readout = "none" | "sum" | "mean" | "max";
