import type { Tensor } from "@offprint/tensor-core";
import type { Graph } from "./graph.js";

/** Which nodes are for what: 1 for those that are. A node has at most one use. */
export interface NodeSplit {
  /** `[nodes]` nodes to learn from. */
  readonly train: Uint8Array;
  /** `[nodes]` nodes to choose by. */
  readonly validation: Uint8Array;
  /** `[nodes]` nodes to judge by. */
  readonly test: Uint8Array;
}

/** A graph whose nodes have features and classes. */
export interface NodeData {
  /** What people call it. */
  readonly name: string;
  /** The graph. */
  readonly graph: Graph;
  /** `[nodes, features]` */
  readonly features: Tensor;
  /** `[nodes]` class numbers from 0; -1 where the class is not known. */
  readonly labels: Int32Array;
  /** In the order of the class numbers, where classes have names. */
  readonly classNames?: readonly string[];
  /** In the order of the nodes, where nodes have names. */
  readonly nodeNames?: readonly string[];
  /** The split that comes with the data. */
  readonly split?: NodeSplit;
}

/** Graphs with something to be predicted for each. */
export interface GraphData {
  /** What people call it. */
  readonly name: string;
  /** The graphs. */
  readonly graphs: readonly Graph[];
  /** Per graph `[nodes, features]`, where nodes have numbers for features. */
  readonly features?: readonly Tensor[];
  /** Per graph `[nodes]` kinds of nodes, as in the file. */
  readonly nodeLabels?: readonly Int32Array[];
  /** Per graph `[edges, features]` where edges have numbers for features. */
  readonly edgeFeatures?: readonly Tensor[];
  /** `[graphs]` class numbers from 0. */
  readonly labels: Int32Array;
  /** In the order of the class numbers: what the file calls them. */
  readonly classNames: readonly string[];
}
