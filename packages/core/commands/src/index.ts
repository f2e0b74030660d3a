export { alignedRows, type Cell, labelled } from "./aligned.js";
export {
  type Command,
  type CommandInput,
  type CommandModel,
  type CommandModelValue,
  defineCommand,
} from "./command.js";
export { didYouMean } from "./did-you-mean.js";
export { type EachFileState, type EachFileWork, eachFile, type FileSet, filesOf, pictureEndings } from "./each-file.js";
export { describeError, exitCodes, Failure } from "./failure.js";
export { type Formula, type FormulaNode, type FormulaOperation, formulaFunctions, formulaValue } from "./formula.js";
export { type Described, describedNames, helpText } from "./help.js";
export { interruptible } from "./interruption.js";
export {
  type LearnableDynamics,
  type LearnedSeries,
  type LearningRecord,
  learnSeries,
  learnSeriesOptions,
} from "./learn-series.js";
export type { LongRun, LongRunSettings } from "./long-run.js";
export {
  type FileSettings,
  type InputFileSettings,
  type ListSettings,
  type NumberSettings,
  type Option,
  type OptionRole,
  type OptionSettings,
  type Outcome,
  type OutputFileSettings,
  option,
} from "./option.js";
export { requireFolder, requireReadable, requireWritable } from "./places.js";
export { type PredictedClasses, type PredictedNumbers, predictionTable, writePredictions } from "./predictions.js";
export { formulaWith, readFormula } from "./read-formula.js";
export { type CommandHost, type DeviceChoice, runCommand } from "./run-command.js";
export {
  type Classes,
  classesOf,
  holdOut,
  type InputTable,
  numbersOf,
  type Parts,
  readTable,
  type SampleTable,
  type TableColumns,
  type Target,
  type Task,
  taskOf,
} from "./sample-table.js";
export {
  type DeviceName,
  deviceNames,
  deviceOptions,
  holdoutOption,
  seedOption,
  stateOptions,
  tableOptions,
} from "./standard-options.js";
export { progressBar, type Stream, shorten, Terminal } from "./terminal.js";
export { plotTimeSeries, readTimeSeries, type TimeSeries, timeSeriesOptions } from "./time-series.js";
export type { Options, Values } from "./words.js";
