export { type BertFolder, bertFromSafetensors } from "./bert-folder.js";
export { type OpenedModel, openAtEmbeddings } from "./embedding-input.js";
export { gpt2FromSafetensors } from "./gpt2-folder.js";
export { firstFile, type ModelFiles, modelAddress, readJson } from "./model-files.js";
export type { OnnxLoader, OnnxModel, OnnxValue } from "./onnx-feeds.js";
export { loadOptimumCausalLM, loadOptimumMaskedLM, type OptimumCausalLM, type OptimumOptions } from "./optimum.js";
export { loadTokenizer, mergesOf, type TextTokenizer } from "./tokenizer.js";
