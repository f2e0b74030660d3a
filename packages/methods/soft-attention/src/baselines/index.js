import { linearHeads } from "./linear.js";
import { linformerHeads } from "./linformer.js";
import { nystromformerHeads } from "./nystromformer.js";
import { performerHeads } from "./performer.js";
import { softmaxHeads } from "./softmax.js";
/** The attentions that SOFT is compared with; each makes a `HeadAttention` for `attentionLayer`. */
export const attentions = {
    /** Ordinary attention, quadratic in n. */
    softmax: softmaxHeads,
    /** Learned projections of n tokens to m. */
    linformer: linformerHeads,
    /** Positive random features. */
    performer: performerHeads,
    /** Softmax attention through landmarks. */
    nystromformer: nystromformerHeads,
    /** The feature map `elu(x) + 1`. */
    linear: linearHeads,
};
