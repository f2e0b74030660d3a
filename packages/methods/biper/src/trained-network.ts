import type { NetworkPart } from "./network-part.js";
import type { Stage } from "./weight-rules.js";

/** A network with the values that training gave it. */
export interface TrainedNetwork<P = any, S = any> {
  /** What was trained. */
  readonly network: NetworkPart<P, S>;
  /** Its parameters. */
  readonly params: P;
  /** Its running statistics. */
  readonly state: S;
  /** The stage it was trained for: 1 with real weights, 2 with binary ones. */
  readonly stage: Stage;
}
