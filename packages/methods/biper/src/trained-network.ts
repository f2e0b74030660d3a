import type { NetworkPart } from "./network-part.js";
import type { NetworkValues } from "./train-stage.js";
import type { Stage } from "./weight-rules.js";

/** A network with the values that training gave it. */
export interface TrainedNetwork<P = unknown, S = unknown> extends NetworkValues<P, S> {
  /** What was trained. */
  readonly network: NetworkPart<P, S>;
  /** The stage it was trained for: 1 with real weights, 2 with binary ones. */
  readonly stage: Stage;
}
