export { type CauseSentence, drawSentence, vocabulary, wordClasses } from "./grammar.js";
export { loadTinyModels, type TinyModels, type TinyOptions } from "./tiny-models.js";
