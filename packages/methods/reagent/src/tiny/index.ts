export { loadTinyModels, type TinyModels, type TinyOptions } from "./tiny-models.js";
