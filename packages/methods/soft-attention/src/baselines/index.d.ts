import { linearHeads } from "./linear.js";
import { linformerHeads } from "./linformer.js";
import { nystromformerHeads } from "./nystromformer.js";
import { performerHeads } from "./performer.js";
import { softmaxHeads } from "./softmax.js";
export type { LinformerOptions, LinformerParams } from "./linformer.js";
export type { NystromformerOptions } from "./nystromformer.js";
export type { PerformerOptions } from "./performer.js";
/** The attentions that SOFT is compared with; each makes a `HeadAttention` for `attentionLayer`. */
export declare const attentions: {
    /** Ordinary attention, quadratic in n. */
    softmax: typeof softmaxHeads;
    /** Learned projections of n tokens to m. */
    linformer: typeof linformerHeads;
    /** Positive random features. */
    performer: typeof performerHeads;
    /** Softmax attention through landmarks. */
    nystromformer: typeof nystromformerHeads;
    /** The feature map `elu(x) + 1`. */
    linear: typeof linearHeads;
};
