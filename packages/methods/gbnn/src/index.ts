export { type GbnnOptions, gbnn } from "./gbnn.js";
