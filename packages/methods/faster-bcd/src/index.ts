export { type FasterBcdOptions, fasterBcd } from "./faster-bcd.js";
