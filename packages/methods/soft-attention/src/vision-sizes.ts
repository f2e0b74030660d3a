import { checkOptions, requireInteger, ValueError } from "@offprint/tensor-core";

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

const dims = (third: number) => [64, 128, third, 512] as const;
const heads = (third: number) => [2, 4, third, 16] as const;

/** Table 1 of the paper. */
const sizes: Readonly<Record<VisionSizeName, VisionSize>> = {
  tiny: { dims: dims(320), heads: heads(10), depths: [1, 2, 3, 2] },
  small: { dims: dims(320), heads: heads(10), depths: [1, 3, 20, 4] },
  medium: { dims: dims(288), heads: heads(9), depths: [1, 3, 29, 5] },
  large: { dims: dims(320), heads: heads(10), depths: [1, 3, 40, 5] },
  huge: { dims: dims(352), heads: heads(11), depths: [1, 5, 49, 5] },
};

const names = ["dims", "heads", "depths", "ratios", "localConvs", "positions"];

/** A size with defaults filled in. @throws ValueError for an unknown name or extents out of range. */
export function resolvedSize(size: VisionSizeName | VisionSize): Required<VisionSize> {
  if (typeof size === "string" && !Object.hasOwn(sizes, size)) {
    throw new ValueError(`softVisionTransformer: no size "${size}"; there are ${Object.keys(sizes).join(", ")}`);
  }
  const given = typeof size === "string" ? sizes[size] : size;
  checkOptions("softVisionTransformer: size", given, names, ["dims", "heads", "depths"]);
  const full = {
    ratios: [8, 4, 2] as const,
    localConvs: [9, 5, 3] as const,
    positions: [56, 28, 14, 7] as const,
    ...given,
  };
  const check = (name: keyof VisionSize, count: number, least: number) => {
    const values = full[name] as readonly number[];
    if (!Array.isArray(values) || values.length !== count) {
      throw new ValueError(`softVisionTransformer: ${name} needs ${count} numbers`);
    }
    for (const value of values) requireInteger("softVisionTransformer", name, value, least);
  };
  check("dims", 4, 1);
  check("heads", 4, 1);
  check("depths", 4, 0);
  check("ratios", 3, 1);
  check("localConvs", 3, 0);
  check("positions", 4, 1);
  return full;
}
