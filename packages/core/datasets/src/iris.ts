import type { Dataset } from "@offprint/data";
import { checkOptions } from "@offprint/tensor-core";
import { table } from "./iris-table.js";
import { tabularSet } from "./packed.js";
import { checkSetOptions, type SetOptions } from "./set-options.js";

/** Iris flowers: 150 samples of 4 lengths in cm, 3 species. As in Fisher's paper, CC BY 4.0. */
export function iris(options: SetOptions = {}): Dataset {
  checkOptions("iris", options, ["dtype"]);
  checkSetOptions("iris", options);
  return {
    name: "Iris",
    ...tabularSet(table, options.dtype),
    inputNames: ["sepal length", "sepal width", "petal length", "petal width"],
    classNames: ["setosa", "versicolor", "virginica"],
    licence: "CC BY 4.0",
    source: "R. A. Fisher, 1936, UCI Machine Learning Repository, 1988; https://doi.org/10.24432/C56C76",
  };
}
