import type { Dataset } from "@offprint/data";
import { checkOptions } from "@offprint/tensor-core";
import { tabularSet } from "./packed.js";
import { checkSetOptions, type SetOptions } from "./set-options.js";
import { table } from "./wine-table.js";

/** Italian wines: 178 samples of 13 chemical measurements, 3 growers. CC BY 4.0. */
export function wine(options: SetOptions = {}): Dataset {
  checkOptions("wine", options, ["dtype"]);
  checkSetOptions("wine", options);
  return {
    name: "Wine",
    ...tabularSet(table, options.dtype),
    inputNames: [
      "alcohol",
      "malic acid",
      "ash",
      "alkalinity of ash",
      "magnesium",
      "total phenols",
      "flavanoids",
      "nonflavanoid phenols",
      "proanthocyanins",
      "colour intensity",
      "hue",
      "OD280/OD315 of diluted wine",
      "proline",
    ],
    classNames: ["grower 0", "grower 1", "grower 2"],
    licence: "CC BY 4.0",
    source: "S. Aeberhard, M. Forina, UCI Machine Learning Repository, 1992; https://doi.org/10.24432/C5PC7J",
  };
}
