export { type BiperOptions, biper } from "./biper.js";
