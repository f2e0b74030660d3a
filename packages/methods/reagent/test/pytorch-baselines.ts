import { readFileSync } from "node:fs";
import { gpt2, readGpt2 } from "@offprint/language";
import { cast, type Tensor, tree } from "@offprint/tensor-core";

/** What PyTorch gives in float64; made by fixtures/make_baselines.py. */
export const expected = JSON.parse(readFileSync(new URL("fixtures/baselines.json", import.meta.url), "utf8"));

/** The parameters that it was made with. */
export const wide = tree.map(
  (x: Tensor) => cast(x, "float64"),
  readGpt2(
    new Uint8Array(
      readFileSync(new URL("../../../core/language/test/fixtures/gpt2/model.safetensors", import.meta.url)),
    ),
  ),
);

/** Their model. */
export const lm = gpt2(wide, { heads: 2 });

/** Its tokens. */
export const ids = Int32Array.from(expected.ids);
