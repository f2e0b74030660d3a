import { checkOptions, requirePositive, ValueError } from "@offprint/tensor-core";
import type { ClinicalRecord } from "../formats/clinical-record.js";
import { collectSeries, type IrregularSeries } from "./irregular-series.js";

/** The 37 quantities that the records of the PhysioNet Challenge 2012 have series of. */
export const clinicalQuantities: readonly string[] = [
  ...["Albumin", "ALP", "ALT", "AST", "Bilirubin", "BUN", "Cholesterol", "Creatinine", "DiasABP", "FiO2"],
  ...["GCS", "Glucose", "HCO3", "HCT", "HR", "K", "Lactate", "Mg", "MAP", "MechVent", "Na", "NIDiasABP"],
  ...["NIMAP", "NISysABP", "PaCO2", "PaO2", "pH", "Platelets", "RespRate", "SaO2", "SysABP", "Temp"],
  ...["TroponinI", "TroponinT", "Urine", "WBC", "Weight"],
];

/** Options of {@link clinicalSeries}. */
export interface ClinicalSeriesOptions {
  /** Quantities to keep (default {@link clinicalQuantities}; others are then an error). */
  readonly names?: readonly string[];
  /** Hours that times are rounded to: 1 gives 49 times (default), 1 / 60 gives 2881. */
  readonly quantum?: number;
  /** How long the series are, in hours (default 48). */
  readonly hours?: number;
}

/**
 * Records of the PhysioNet Challenge 2012 as series on one grid of times: rounded, averaged where they fall together, with a mask.
 * Patients of whom nothing was measured do not appear.
 * @throws ValueError for two records of one patient, and for a parameter that is not among the 37 where no names are given.
 * @see Rubanova, Chen, Duvenaud 2019; Pal et al. 2021.
 */
export function clinicalSeries(
  records: readonly ClinicalRecord[],
  options: ClinicalSeriesOptions = {},
): IrregularSeries {
  const owner = "clinicalSeries";
  if (!Array.isArray(records as unknown)) {
    throw new ValueError(
      `${owner}: records is ${String(records)}; give a list of records, such as readClinicalRecord gives`,
    );
  }
  checkOptions(owner, options, ["names", "quantum", "hours"]);
  const { names = clinicalQuantities, quantum = 1, hours = 48 } = options;
  requirePositive(owner, "hours", hours);
  const ids = new Set<string>();
  for (const { id, observations } of records) {
    if (ids.has(id)) throw new ValueError(`${owner}: two records of patient ${id}; leave one out`);
    ids.add(id);
    const unknown = options.names === undefined ? observations.find(({ name }) => !names.includes(name)) : undefined;
    if (unknown !== undefined) {
      throw new ValueError(
        `${owner}: record ${id} has ${unknown.name}, which is not of the challenge; give names to keep`,
      );
    }
  }
  return collectSeries(
    records.flatMap(({ observations }) => observations),
    { names, quantum, span: [0, hours] },
  );
}
