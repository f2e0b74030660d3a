import { type Graph } from "@offprint/tensor-core";
/**
 * The largest number of bytes that the values of a graph take at once when its operations run in order and a value is
 * freed after its last use. Inputs and constants stay.
 */
export declare function peakBytes(graph: Graph): number;
