import type { Graph } from "../graph/graph.js";
import type { Tensor } from "../tensor.js";

/** A graph made ready to run many times. */
export interface Executable {
  /** Runs on host or device tensors in the order of the graph's inputs. */
  run(inputs: readonly Tensor[]): Promise<Tensor[]>;
  /** The same at once, on host tensors, where the backend can. */
  runSync?(inputs: readonly Tensor[]): Tensor[];
  /** Frees what the executable holds; it cannot be run afterwards. */
  release(): Promise<void>;
  /** What became of the graph, line by line, where the backend tells. */
  describe?(): string;
  /** Bytes of memory that a run needs, all that lies in it at once, where the backend tells. */
  memory?(): number | undefined;
}

/** Something that compiles graphs: the host compiler, ONNX Runtime, or anything else that can run the primitives. */
export interface Backend {
  /** For messages and reports, such as "onnxruntime-node 1.30.0". */
  readonly name: string;
  /** The device that really runs, such as "cpu" or "webgpu". */
  readonly device: string;
  /**
   * Makes a graph ready to run.
   * @throws UnsupportedError for a primitive that the device cannot run.
   */
  compile(graph: Graph): Promise<Executable>;
}
