import { ValueError } from "@offprint/tensor-core";
import { requireInteger } from "./grid.js";
const dims = (third) => [64, 128, third, 512];
const heads = (third) => [2, 4, third, 16];
/** Table 1 of the paper. */
const sizes = {
    tiny: { dims: dims(320), heads: heads(10), depths: [1, 2, 3, 2] },
    small: { dims: dims(320), heads: heads(10), depths: [1, 3, 20, 4] },
    medium: { dims: dims(288), heads: heads(9), depths: [1, 3, 29, 5] },
    large: { dims: dims(320), heads: heads(10), depths: [1, 3, 40, 5] },
    huge: { dims: dims(352), heads: heads(11), depths: [1, 5, 49, 5] },
};
/** A size with defaults filled in. @throws ValueError for an unknown name or extents out of range. */
export function resolvedSize(size) {
    if (typeof size === "string" && !Object.hasOwn(sizes, size)) {
        throw new ValueError(`softVisionTransformer: no size "${size}"; there are ${Object.keys(sizes).join(", ")}`);
    }
    const given = typeof size === "string" ? sizes[size] : size;
    const full = {
        ratios: [8, 4, 2],
        localConvs: [9, 5, 3],
        positions: [56, 28, 14, 7],
        ...given,
    };
    const check = (name, count, least) => {
        const values = full[name];
        if (values.length !== count)
            throw new ValueError(`softVisionTransformer: ${name} needs ${count} numbers`);
        for (const value of values)
            requireInteger("softVisionTransformer", name, value, least);
    };
    check("dims", 4, 1);
    check("heads", 4, 1);
    check("depths", 4, 0);
    check("ratios", 3, 1);
    check("localConvs", 3, 0);
    check("positions", 4, 1);
    return full;
}
