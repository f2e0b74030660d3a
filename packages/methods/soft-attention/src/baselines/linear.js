import { add, special } from "@offprint/tensor-core";
import { normalisedProduct } from "./performer.js";
/**
 * Linear attention with the feature map `elu(x) + 1`.
 * @see Katharopoulos et al., ICML 2020, arXiv 2006.16236
 */
export function linearHeads() {
    return {
        sharedQueryKey: false,
        init: () => null,
        apply: (_, { query, key, value }) => normalisedProduct(add(special.elu(query), 1), add(special.elu(key), 1), value),
    };
}
