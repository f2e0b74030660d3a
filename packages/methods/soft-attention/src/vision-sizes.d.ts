/** Extents of an image model; the four stages in order. */
export interface VisionSize {
    /** Features of a token. */
    readonly dims: readonly [number, number, number, number];
    /** Heads, divisors of `dims`. */
    readonly heads: readonly [number, number, number, number];
    /** Blocks. */
    readonly depths: readonly [number, number, number, number];
    /** r of stages 1 to 3. Default 8, 4, 2, which for images of 224 x 224 gives 49 bottleneck tokens in each. */
    readonly ratios?: readonly [number, number, number];
    /** Kernel of the local branch in stages 1 to 3, 0 for none. Default 9, 5, 3. */
    readonly localConvs?: readonly [number, number, number];
    /** Sides of the square position tables. Default 56, 28, 14, 7. */
    readonly positions?: readonly [number, number, number, number];
}
/** The paper's sizes. */
export type VisionSizeName = "tiny" | "small" | "medium" | "large" | "huge";
/** A size with defaults filled in. @throws ValueError for an unknown name or extents out of range. */
export declare function resolvedSize(size: VisionSizeName | VisionSize): Required<VisionSize>;
