export { type FuzzReport, fuzzReader, type ReaderCase } from "./fuzz-reader.js";
export { mutations } from "./mutations.js";
