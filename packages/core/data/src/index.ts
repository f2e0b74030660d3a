export { readAsset } from "./asset.js";
export { type Batch, Batches, type BatchesOptions, type BatchesState, batches } from "./batches.js";
export { type Dataset, sampleCount, subset } from "./dataset.js";
export { type Cifar100Options, readCifar10, readCifar100 } from "./formats/cifar.js";
export { type ClinicalRecord, clinicalDescriptors, readClinicalRecord } from "./formats/clinical-record.js";
export { type CsvReadOptions, type CsvWriteOptions, readCsv, writeCsv } from "./formats/csv.js";
export { readIdx, writeIdx } from "./formats/idx.js";
export {
  type ImageLayout,
  type ImageReadOptions,
  type ImageWriteOptions,
  readImage,
  writePng,
  writePnm,
} from "./formats/image.js";
export { gunzip } from "./formats/inflate.js";
export { type LibsvmContent, type LibsvmReadOptions, readLibsvm, writeLibsvm } from "./formats/libsvm.js";
export { readMatrixMarket, writeMatrixMarket } from "./formats/matrix-market.js";
export { type NpyWriteOptions, readNpy, writeNpy } from "./formats/npy.js";
export { type NpzWriteOptions, npzNames, readNpz, writeNpz } from "./formats/npz.js";
export {
  readSafetensors,
  type Safetensors,
  type SafetensorsWriteOptions,
  writeSafetensors,
} from "./formats/safetensors.js";
export { isLibsvm, readSamples, type SampleFile, type SampleFileOptions } from "./formats/sample-file.js";
export { isSparseNpz, readSparseNpz } from "./formats/sparse-npz.js";
export { type Column, type ColumnType, Table } from "./formats/table.js";
export { type ClinicalSeriesOptions, clinicalQuantities, clinicalSeries } from "./series/clinical-series.js";
export {
  type CollectSeriesOptions,
  collectSeries,
  type HideOptions,
  hideObservations,
  type IrregularSeries,
  type Observation,
  seriesShape,
  subsetSeries,
  type TableSeriesOptions,
  tableSeries,
} from "./series/irregular-series.js";
export { type RangeScaling, rangeScaling } from "./series/range-scaling.js";
export { type SplitOptions, trainTestSplit } from "./split.js";
export { type Standardization, standardization } from "./standardization.js";
