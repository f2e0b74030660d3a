import type { AttentionLM } from "@offprint/language";
import { ShapeError } from "@offprint/tensor-core";
import { requireFunction, requireValues } from "../argument-checks.js";

import { attribution, type BaselineAttribution, type BaselineOptions, explained } from "./baseline.js";

/** Attention of a prompt, averaged over the heads: one `[L, L]` matrix per layer. */
async function headMeans(where: string, lm: AttentionLM, ids: Int32Array): Promise<Float64Array[]> {
  requireFunction(
    where,
    "attentions of the model",
    lm.attentions,
    "give an AttentionLM, such as gpt2(params, { heads })",
  );
  const attentions = await lm.attentions(ids);
  const [layers, heads, l] = attentions.shape;
  if (attentions.rank !== 4 || l !== ids.length || attentions.shape[3] !== l || layers === 0 || heads === 0) {
    throw new ShapeError(
      `${where}: attentions gave shape [${attentions.shape}]; it must be [layers, heads, ${ids.length}, ${ids.length}]`,
    );
  }
  const values = requireValues(where, "attentions", attentions, attentions.shape);
  return Array.from({ length: layers }, (_, layer) => {
    const matrix = new Float64Array(l * l);
    for (let h = 0; h < heads; h++) {
      const start = (layer * heads + h) * l * l;
      for (let k = 0; k < l * l; k++) matrix[k] += values[start + k] / heads;
    }
    return matrix;
  });
}

/** Attention of the last token, averaged over all layers and heads. */
export async function attentionMean(
  lm: AttentionLM,
  ids: Int32Array,
  options: BaselineOptions = {},
): Promise<BaselineAttribution> {
  const target = await explained("attentionMean", lm, ids, options);
  const layers = await headMeans("attentionMean", lm, ids);
  const l = ids.length;
  const scores = Float64Array.from({ length: l }, (_, i) => {
    return layers.reduce((total, matrix) => total + matrix[(l - 1) * l + i], 0) / layers.length;
  });
  return attribution(scores, target);
}

/** Attention of the last token in the last layer, averaged over the heads. */
export async function attentionLast(
  lm: AttentionLM,
  ids: Int32Array,
  options: BaselineOptions = {},
): Promise<BaselineAttribution> {
  const target = await explained("attentionLast", lm, ids, options);
  const layers = await headMeans("attentionLast", lm, ids);
  const l = ids.length;
  return attribution(layers[layers.length - 1].slice((l - 1) * l), target);
}

/**
 * Attention rollout (Abnar and Zuidema, 2020): the last row of the product `A_n' ... A_1'` of the layers' head means,
 * each averaged with the identity for the residual connection.
 */
export async function attentionRollout(
  lm: AttentionLM,
  ids: Int32Array,
  options: BaselineOptions = {},
): Promise<BaselineAttribution> {
  const target = await explained("attentionRollout", lm, ids, options);
  const layers = await headMeans("attentionRollout", lm, ids);
  const l = ids.length;
  // Only the last row of the product is wanted, so it is carried down from the last layer.
  let row = new Float64Array(l);
  row[l - 1] = 1;
  for (const matrix of layers.reverse()) {
    const next = new Float64Array(l);
    for (let i = 0; i < l; i++) {
      next[i] += row[i] / 2;
      for (let k = 0; k < l; k++) next[k] += (row[i] * matrix[i * l + k]) / 2;
    }
    row = next;
  }
  return attribution(row, target);
}
