export { type LearningToRelaxOptions, learningToRelax } from "./learning-to-relax.js";
