import type { HeadAttention } from "../head-attention.js";
/**
 * Linear attention with the feature map `elu(x) + 1`.
 * @see Katharopoulos et al., ICML 2020, arXiv 2006.16236
 */
export declare function linearHeads(): HeadAttention<null>;
