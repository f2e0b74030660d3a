export { type CboOptions, cbo } from "./cbo.js";
