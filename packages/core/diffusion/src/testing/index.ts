export { type ClassMixture, classMixture } from "./class-mixture.js";
export {
  type ExportFunction,
  folderOf,
  type TinyPipeline,
  type TinyPipelineOptions,
  tinyPipeline,
} from "./tiny-pipeline.js";
