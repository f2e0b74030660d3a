import type { ElementType, Tensor } from "@offprint/tensor-core";

/** Value of a node's attribute. Integers are numbers, those beyond 2^53 saturated; graphs are graphs. */
export type OnnxAttribute =
  | number
  | string
  | Tensor
  | OnnxGraph
  | readonly number[]
  | readonly string[]
  | readonly Tensor[];

/** An operator of an ONNX graph. */
export interface OnnxNode {
  /** Name of the operator, such as `Gemm`. */
  readonly operator: string;
  /** Its domain; empty for the standard operators. */
  readonly domain: string;
  /** The node's own name, often empty. */
  readonly name: string;
  /** Names of the inputs; an optional one that is left out is empty. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** Attributes by name; an object without a prototype. */
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** An input or output of an ONNX graph. */
export interface OnnxValue {
  /** Name in the graph. */
  readonly name: string;
  /** Element type; nothing where the file does not say, or says one that tensors cannot hold. */
  readonly type: ElementType | undefined;
  /** Extents, texts where any extent is allowed; nothing where the file does not say. */
  readonly shape: readonly (number | string)[] | undefined;
}

/** The content of an .onnx file, as far as it describes a computation. */
export interface OnnxGraph {
  /** Inputs that are not constants. */
  readonly inputs: readonly OnnxValue[];
  /** Outputs. */
  readonly outputs: readonly OnnxValue[];
  /**
   * Constants by name; an object without a prototype. Integers become int32 or float64, half floats float32; integers
   * beyond 2^53 are saturated. Each is copied out of the file when it is first asked for.
   */
  readonly constants: Readonly<Record<string, Tensor>>;
  /** Operators in an order in which they can be run. */
  readonly nodes: readonly OnnxNode[];
  /** Version of the standard operators; 0 in nested graphs. */
  readonly opset: number;
}
