export type { BlackBox, Client, OwnPoints } from "./black-box.js";
export { clientJob, type RemoteClient } from "./client-job.js";
export { type FedZoOptions, fedZo } from "./fed-zo.js";
export type {
  FederatedOptions,
  FederatedRecord,
  FederatedResult,
  FederatedRunState,
  FederatedState,
  Shared,
} from "./federated-run.js";
export type { ClientTeam, Members, TeamAnswer } from "./fleet.js";
export { type FourierOptions, type FourierSurrogate, fourierSurrogate } from "./fourier-surrogate.js";
export { type ActiveOptions, type FzoosOptions, fzoos } from "./fzoos.js";
export type {
  ActiveSettings,
  Box,
  ClientAnswer,
  ClientSettings,
  ClientState,
  Correction,
  DifferenceEstimator,
  LocalState,
  OptimizerSettings,
  Question,
  SharedTrajectory,
  SurrogateEstimator,
} from "./messages.js";
export type { FederatedProblem } from "./problem.js";
export {
  type KernelName,
  type TrajectoryOptions,
  type TrajectorySurrogate,
  trajectorySurrogate,
} from "./trajectory-surrogate.js";
