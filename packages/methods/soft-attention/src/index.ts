export { type AttentionLayerOptions, type AttentionLayerParams, attentionLayer } from "./attention-layer.js";
export {
  attentions,
  type LinformerOptions,
  type LinformerParams,
  type NystromformerOptions,
  type PerformerOptions,
} from "./baselines/index.js";
export { adaptivePool, type Bottleneck, type ConvBottleneckParams } from "./bottleneck.js";
export { loadSoftCheckpoint, saveSoftCheckpoint, type VisionCheckpoint } from "./checkpoint.js";
export type { ConvNormParams } from "./conv-stage.js";
export { type AttentionDiagnostics, attentionDiagnostics, type DiagnosticsOptions } from "./diagnostics.js";
export { gaussianKernel } from "./gaussian-kernel.js";
export type { Grid } from "./grid.js";
export type { GridLayer, HeadAttention, HeadInputs } from "./head-attention.js";
export {
  type SoftLayerOptions,
  type SoftLayerParams,
  type SoftSequenceOptions,
  softAttentionLayer,
  softBlock,
  softSequenceAttention,
  softSequenceBlock,
} from "./layers.js";
export { localBranch } from "./local-branch.js";
export { newtonPinv, type PinvOptions, pinvResidual } from "./newton-pinv.js";
export type { PreNormBlockParams } from "./pre-norm-block.js";
export {
  type FullGaussianOptions,
  fullGaussianAttention,
  type Normalization,
  type SoftAttentionOptions,
  softAttention,
} from "./soft-attention.js";
export { fullGaussianHeads, type SoftHeadsOptions, softHeads } from "./soft-heads.js";
export {
  type Block,
  type BlockMasks,
  type BlockOptions,
  type BlockParams,
  transformerBlock,
} from "./transformer-block.js";
export type { VisionMasks } from "./vision-masks.js";
export type { VisionSize, VisionSizeName } from "./vision-sizes.js";
export {
  softVisionTransformer,
  type VisionOptions,
  type VisionParams,
  type VisionState,
  type VisionTransformer,
} from "./vision-transformer.js";
