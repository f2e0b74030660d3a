import type { Claim } from "@offprint/claims";
import { type HeadAttention } from "../src/index.js";
/** A square grid and the side of a window. */
type Setting = readonly [side: number, ratio: number];
/** What SOFT is, or what takes its place. */
export type SoftFactory = (options: {
    ratio: number;
}) => HeadAttention;
/** Section 3.2: the kernel's matrix is better approximated through m tokens than the softmax matrix is. */
export declare function approximationQuality(soft?: SoftFactory, settings?: readonly Setting[]): Claim;
export {};
