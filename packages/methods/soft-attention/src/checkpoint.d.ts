import type { VisionParams, VisionState, VisionTransformer } from "./vision-transformer.js";
/** A trained image model. */
export interface VisionCheckpoint {
    /** What was trained. */
    readonly params: VisionParams;
    /** Running statistics of the batch normalisations. */
    readonly state: VisionState;
}
/**
 * Reads the weights of an image model from a safetensors file with the names and layouts of the authors' PyTorch model
 * (`patch_embed1.proj.0.weight`, `block1.0.att.mha.W_q.weight`, ...), as made by `save_file(model.state_dict(), path)`.
 * Tensors that the model does not have are left out.
 * @param bytes content of the file; in Node `await loadFile(path, (bytes) => loadSoftCheckpoint(bytes, model))`
 * @throws FormatError where a tensor is missing or has another shape, or the file is damaged.
 */
export declare function loadSoftCheckpoint(bytes: Uint8Array, model: VisionTransformer): VisionCheckpoint;
/** The bytes of a safetensors file that `loadSoftCheckpoint` and the authors' PyTorch model read. */
export declare function saveSoftCheckpoint(checkpoint: VisionCheckpoint, model: VisionTransformer): Uint8Array;
