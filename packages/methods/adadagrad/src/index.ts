export { type AdadagradOptions, adadagrad } from "./adadagrad.js";
