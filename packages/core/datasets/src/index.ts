export { breastCancer } from "./breast-cancer.js";
export { digits, type SetOptions } from "./digits.js";
export { iris } from "./iris.js";
export { karateClub, type NodeDataset } from "./karate-club.js";
export { wine } from "./wine.js";
