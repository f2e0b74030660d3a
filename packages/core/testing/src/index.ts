export { expectClose, type Tolerance } from "./closeness.js";
export {
  centralDifferences,
  type DifferenceOptions,
  inner,
  numericalGradient,
  slope,
  slopeAlong,
} from "./differences.js";
export { errorLike, failureOf } from "./errors.js";
export { readFixture, temporaryFolder } from "./files.js";
export { expectGradient, expectSecondGradient, expectVmap } from "./gradients.js";
export { type InstalledJobs, installJobs, jobsManifest } from "./installed-jobs.js";
export { bundleModules } from "./modules.js";
export { NatsMachines } from "./nats-machines.js";
export { type NatsConfiguration, NatsTestServer, natsServer, needsNatsServer } from "./nats-server.js";
export {
  bundlePage,
  chromium,
  needsChromium,
  type PageSurroundings,
  runPage,
  softwareGpu,
} from "./page.js";
export { f64, scattered, weighed } from "./samples.js";
export { WorkerProcess } from "./worker-process.js";
