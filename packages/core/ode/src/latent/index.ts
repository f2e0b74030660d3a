export {
  type EncodedBatch,
  type LatentOde,
  type LatentOdeOptions,
  type LatentOdeParameters,
  latentOde,
  type PredictOptions,
  type PredictorOptions,
  type SeriesBatch,
  type SeriesBatchOptions,
  type SeriesPrediction,
} from "./latent-ode.js";
export { type LoadedLatentOde, loadLatentOde, type SavedLatentOde, saveLatentOde } from "./latent-ode-file.js";
export { divergenceFromStandardNormal, maskedLogLikelihood, maskedMeanSquaredError } from "./masked-likelihood.js";
export {
  type GriddedSeries,
  type LatentNormal,
  type SeriesEncoderParameters,
  type SeriesEncoderSizes,
  seriesEncoder,
} from "./series-encoder.js";
