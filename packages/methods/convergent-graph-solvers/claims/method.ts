import {
  contractingWeights,
  contraction,
  convergentGraphSolver,
  fitGraphModel,
  graphNetwork,
  solveFixedPoint,
  steadyStateEmbedding,
} from "../src/index.js";

/** What the claims are about; tests put a baseline or a broken variant in its place. */
export interface Method {
  readonly contractingWeights: typeof contractingWeights;
  readonly contraction: typeof contraction;
  readonly solveFixedPoint: typeof solveFixedPoint;
  readonly convergentGraphSolver: typeof convergentGraphSolver;
  readonly graphNetwork: typeof graphNetwork;
  readonly steadyStateEmbedding: typeof steadyStateEmbedding;
  readonly fitGraphModel: typeof fitGraphModel;
}

/** The method as it is. */
export const method: Method = {
  contractingWeights,
  contraction,
  solveFixedPoint,
  convergentGraphSolver,
  graphNetwork,
  steadyStateEmbedding,
  fitGraphModel,
};
