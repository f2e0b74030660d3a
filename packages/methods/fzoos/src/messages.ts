import type { KernelName } from "./trajectory-surrogate.js";

/** How many places are asked, and out of how many they are chosen. */
export interface ActiveSettings {
  /** Places asked. */
  readonly count: number;
  /** Places drawn, of which those are asked where the surrogate knows least. */
  readonly candidates: number;
  /** Half the side of the cube they are drawn from, in parts of the box; `"auto"`: half the mean distance that the client has gone. */
  readonly radius: number | "auto";
}

/** Gradients from all earlier queries. */
export interface SurrogateEstimator {
  /** Tells estimators apart. */
  readonly kind: "surrogate";
  /** Of the local process. */
  readonly kernel: KernelName;
  /** Its length scale, or how it is found. */
  readonly length: number | "evidence";
  /** Variance of values over their range squared, or their deviation. */
  readonly noise: number | { readonly deviation: number };
  /** Nearest queries that the local process is made of. */
  readonly maxLocalQueries: number;
  /** Nearest queries that the features are fitted to. */
  readonly maxFeatureQueries: number;
  /** Queries around the start. */
  readonly initialQueries: number;
  /** M, the number of random features. */
  readonly features: number;
  /** Their length scale. */
  readonly featureLength: number;
  /** Queries after a local step. */
  readonly local: ActiveSettings;
  /** Queries at the end of a round. */
  readonly server: ActiveSettings;
  /** Where they are made. */
  readonly choice: "uncertain" | "random";
  /** What clients tell each other. */
  readonly correction: "features" | "posterior" | "none";
}

/** Gradients from new queries along orthonormal directions. */
export interface DifferenceEstimator {
  /** Tells estimators apart. */
  readonly kind: "differences";
  /** q, directions of a gradient. */
  readonly directions: number;
  /** mu, length of a difference, in parts of the box. */
  readonly radius: number;
}

/** The optimiser of the local steps: made anew in every round. */
export interface OptimizerSettings {
  /** Which. */
  readonly kind: "adam" | "sgd";
  /** In parts of the box; >= 0. */
  readonly learningRate: number;
  /** Of adam, >= 0, in parts of the largest entry of a round's first gradient. Default 1e-8. */
  readonly epsilon?: number;
}

/** The box, as the black boxes see it. */
export interface Box {
  /** `[d]` lower sides. */
  readonly lower: Float64Array;
  /** `[d]` upper sides. */
  readonly upper: Float64Array;
}

/** What every client is told at the start: plain data. */
export interface ClientSettings {
  /** `[d]` where the run begins, in the unit box. */
  readonly initial: Float64Array;
  /** How gradients are estimated. */
  readonly estimator: SurrogateEstimator | DifferenceEstimator;
  /** What makes steps of them. */
  readonly optimizer: OptimizerSettings;
  /** The box; null for none. */
  readonly bounds: Box | null;
  /** T, local steps of a round. */
  readonly localSteps: number;
  /** Decides on everything random; the same for all clients. */
  readonly seed: number | string;
}

/** Queries as they are sent where trajectories are exchanged. */
export interface SharedTrajectory {
  /** `[n * d]` places, in the unit box. */
  readonly x: Float64Array;
  /** `[n]` values there. */
  readonly y: Float64Array;
}

/** What corrects local gradients towards the mean of all clients. */
export type Correction =
  /** Global weights of features: their gradient, less that of the client's own weights, at the current point. */
  | { readonly kind: "features"; readonly weights: Float64Array }
  /** Everybody's queries, for the same with exact processes. */
  | {
      readonly kind: "posterior";
      readonly trajectories: readonly SharedTrajectory[];
      readonly shares: readonly number[];
      readonly own: number;
    }
  /** The same vector in all steps of the round. */
  | { readonly kind: "constant"; readonly vector: Float64Array }
  /** The way from where the round began. */
  | { readonly kind: "proximal" };

/** What the server asks. Every question has a number: asked again, it has the answer it had, and costs no query. */
export type Question =
  | { readonly kind: "begin"; readonly id: number; readonly settings: ClientSettings }
  | {
      readonly kind: "local";
      readonly id: number;
      readonly round: number;
      readonly x: Float64Array;
      /** Steps to make: from this one on, up to, but without, that. */
      readonly from: number;
      readonly to: number;
      /** Weight of the correction in each of the round's steps. */
      readonly gammas: Float64Array;
      readonly correction: Correction | null;
    }
  | { readonly kind: "report"; readonly id: number; readonly round: number; readonly x: Float64Array }
  | { readonly kind: "value"; readonly id: number; readonly x: Float64Array }
  | { readonly kind: "state"; readonly id: number }
  | { readonly kind: "restore"; readonly id: number; readonly state: ClientState };

/** What a client answers. */
export interface ClientAnswer {
  /** Queries it has made so far. */
  readonly queries: number;
  /** Values it was asked for besides, to judge points by. */
  readonly checks: number;
  /** `[d]` where its local steps have led. */
  readonly z?: Float64Array;
  /** `[d]` mean of the local gradients of the round, or the gradient at the server's point. */
  readonly estimate?: Float64Array;
  /** `[M]` weights of its features. */
  readonly weights?: Float64Array;
  /** Its queries near the server's point, where trajectories are exchanged. */
  readonly trajectory?: SharedTrajectory;
  /** The value that was asked for. */
  readonly value?: number;
  /** Its state; null where it keeps it itself. */
  readonly state?: ClientState | null;
}

/** What a client knows: a tree that survives `tree.toJson`. */
export interface ClientState {
  /** What it was told at the start. */
  readonly settings: ClientSettings;
  /** `[n * d]` where it has asked, in the unit box. */
  readonly x: Float64Array;
  /** `[n]` what it was told there. */
  readonly y: Float64Array;
  /** Queries it has made. */
  readonly queries: number;
  /** Values it was asked for to judge points by. */
  readonly checks: number;
  /** The local steps of the round under way. */
  readonly local: LocalState | null;
  /** `[M]` weights of its own features. */
  readonly weights: Float64Array | null;
  /** The last question's number and answer. */
  readonly last: { readonly id: number; readonly answer: ClientAnswer };
}

/** Where local steps have come to. */
export interface LocalState {
  /** `[d]` the local point, in the unit box. */
  readonly z: Float64Array;
  /** The optimiser's state. */
  readonly optimizer: unknown;
  /** Largest entry of the round's first gradient that is not zero, which adam's are divided by; 1 for sgd, null before it. */
  readonly unit: number | null;
  /** Sum of the local gradients, before corrections. */
  readonly sum: Float64Array;
  /** Length scale of the round's surrogates. */
  readonly length: number | null;
}
