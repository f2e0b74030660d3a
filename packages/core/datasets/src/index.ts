export { breastCancer } from "./breast-cancer.js";
export { digits } from "./digits.js";
export { iris } from "./iris.js";
export { karateClub, type NodeDataset } from "./karate-club.js";
export type { SetOptions } from "./set-options.js";
export { wine } from "./wine.js";
