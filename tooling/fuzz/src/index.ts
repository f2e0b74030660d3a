export { type AsyncReaderCase, type FuzzReport, fuzzAsyncReader, fuzzReader, type ReaderCase } from "./fuzz-reader.js";
export { mutations } from "./mutations.js";
