import { ValueError } from "@offprint/tensor-core";

/** Weights were to be packed that are not -1 and +1: those of stage 1, or of a rule with real weights. */
export class NotBinarizedError extends ValueError {}
