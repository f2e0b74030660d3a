import type { Dataset } from "@offprint/data";
import { checkOptions } from "@offprint/tensor-core";
import { table } from "./breast-cancer-table.js";
import { tabularSet } from "./packed.js";
import { checkSetOptions, type SetOptions } from "./set-options.js";

const MEASUREMENTS = [
  "radius",
  "texture",
  "perimeter",
  "area",
  "smoothness",
  "compactness",
  "concavity",
  "concave points",
  "symmetry",
  "fractal dimension",
];

/** Breast masses: 569 samples of 30 measurements of cell nuclei, malignant (0) or benign (1). CC BY 4.0. */
export function breastCancer(options: SetOptions = {}): Dataset {
  checkOptions("breastCancer", options, ["dtype"]);
  checkSetOptions("breastCancer", options);
  return {
    name: "Breast Cancer Wisconsin (Diagnostic)",
    ...tabularSet(table, options.dtype),
    inputNames: ["mean", "standard error of", "worst"].flatMap((part) => MEASUREMENTS.map((what) => `${part} ${what}`)),
    classNames: ["malignant", "benign"],
    licence: "CC BY 4.0",
    source:
      "W. Wolberg, O. Mangasarian, N. Street, W. Street, UCI Machine Learning Repository, 1995; https://doi.org/10.24432/C5DW2B",
  };
}
