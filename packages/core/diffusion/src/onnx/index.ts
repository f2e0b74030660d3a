export { loadPipeline, type Pipeline, type PipelineOptions, requireImageExtents } from "./pipeline.js";
export { type SchedulerSettings, schedulerSettings } from "./scheduler-config.js";
export { type NetworkCondition, type UnetOptions, unetDenoiser } from "./unet-denoiser.js";
