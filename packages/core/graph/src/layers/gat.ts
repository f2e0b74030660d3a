import { initializers } from "@offprint/nn";
import {
  add,
  checkOptions,
  matmul,
  mean,
  mul,
  requireInteger,
  special,
  sum,
  type Tensor,
  take,
  ValueError,
} from "@offprint/tensor-core";
import type { Graph } from "../graph.js";
import { edgeSoftmax, spmm } from "../message-passing.js";
import { withSelfLoops } from "../propagation.js";
import { type GraphLayer, type GraphLayerOptions, readWidths, requireFeatures } from "./graph-layer.js";

/** Options of `gat`. */
export interface GatOptions extends GraphLayerOptions {
  /** Number of heads. Default 4. */
  heads?: number;
  /** `concat`: heads of width outputs / heads side by side; `mean`: heads of full width, averaged. Default concat. */
  combine?: "concat" | "mean";
  /** Slope of the leaky ReLU below 0. Default 0.2. */
  negativeSlope?: number;
}

/** Parameters of `gat`. */
export interface GatParams {
  /** `[inputs, heads * width]`, Glorot uniform at first. */
  readonly weight: Tensor;
  /** `[heads, width]` attention vector for the source of an edge, Glorot uniform at first. */
  readonly sourceAttention: Tensor;
  /** `[heads, width]` attention vector for the target of an edge, Glorot uniform at first. */
  readonly targetAttention: Tensor;
  /** `[outputs]`, zero at first. */
  readonly bias: Tensor;
}

/** A graph attention layer, which also tells its attention. */
export interface GatLayer extends GraphLayer<GatParams> {
  /**
   * Attention of each edge and head: coefficients `[edges, heads]` on the edges of the returned graph, which has loops.
   */
  attention(params: GatParams, x: Tensor, graph: Graph): { graph: Graph; coefficients: Tensor };
}

/**
 * Graph attention: heads `z = x W`, weights `softmax over incoming edges, the loop included, of
 * LeakyReLU(a_source . z_j + a_target . z_i)`.
 * @throws ValueError where the heads do not divide the outputs that they are to fill side by side.
 * @see Velickovic et al., ICLR 2018, arXiv 1710.10903.
 */
export function gat(options: GatOptions): GatLayer {
  checkOptions("gat", options, ["heads", "combine", "negativeSlope", "inputs", "outputs"], ["inputs", "outputs"]);
  const { inputs, outputs } = readWidths("gat", options);
  const { heads = 4, combine = "concat", negativeSlope = 0.2 } = options;
  requireInteger("gat", "heads", heads, 1);
  if (combine === "concat" && outputs % heads !== 0) {
    throw new ValueError(
      `gat: ${heads} heads do not divide ${outputs} outputs; choose another width or number of heads`,
    );
  }
  const width = combine === "concat" ? outputs / heads : outputs;
  const scores = (z: Tensor, vectors: Tensor) => sum(mul(z, vectors), { axis: -1 });
  const project = (params: GatParams, x: Tensor) => matmul(x, params.weight).reshape([x.shape[0], heads, width]);
  const attend = (params: GatParams, z: Tensor, looped: Graph) => {
    const fromSource = take(scores(z, params.sourceAttention), looped.sources);
    const fromTarget = take(scores(z, params.targetAttention), looped.targets);
    return edgeSoftmax(looped, special.leakyRelu(add(fromSource, fromTarget), negativeSlope));
  };
  return {
    init(rng, dtype = "float32") {
      const attentionFans = { inputs: heads, outputs: width };
      const attention = () => initializers.glorotUniform(rng, [heads, width], attentionFans, dtype);
      const fans = { inputs, outputs: heads * width };
      return {
        weight: initializers.glorotUniform(rng, [inputs, heads * width], fans, dtype),
        sourceAttention: attention(),
        targetAttention: attention(),
        bias: initializers.zeros(rng, [outputs], fans, dtype),
      };
    },
    apply(params, x, graph) {
      requireFeatures("gat", x, graph, inputs);
      const looped = withSelfLoops(graph);
      const z = project(params, x);
      const y = spmm(looped, attend(params, z, looped), z);
      const combined = combine === "concat" ? y.reshape([graph.nodes, outputs]) : mean(y, { axis: 1 });
      return add(combined, params.bias);
    },
    attention(params, x, graph) {
      requireFeatures("gat", x, graph, inputs);
      const looped = withSelfLoops(graph);
      return { graph: looped, coefficients: attend(params, project(params, x), looped) };
    },
  };
}
