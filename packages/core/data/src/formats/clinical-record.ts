import { FormatError } from "@offprint/tensor-core";
import type { Observation } from "../series/irregular-series.js";
import { decodeText } from "./byte-reader.js";
import { csvRecords } from "./csv-records.js";
import { gunzip } from "./inflate.js";

/** What a file of the PhysioNet Challenge 2012 says of one patient. */
export interface ClinicalRecord {
  /** `RecordID`. */
  readonly id: string;
  /** `Age`, `Gender`, `Height` and `ICUType`; what is not known (-1) is left out. */
  readonly descriptors: Readonly<Record<string, number>>;
  /** What was measured, times in hours since admission; a weight that is not known (-1) is left out. */
  readonly observations: readonly Observation[];
  /** Rows without a name of a parameter, of which the published files have some: passed over. */
  readonly unnamed: number;
}

/** Descriptors of a patient, given at 00:00. */
export const clinicalDescriptors: readonly string[] = ["Age", "Gender", "Height", "ICUType"];

const HEADER = "Time,Parameter,Value";
const TIME = /^(\d{1,3}):([0-5]\d)$/;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Reads a record of the PhysioNet Challenge 2012, plain or gzip-compressed: `Time,Parameter,Value` rows, times as hours and
 * minutes.
 * @throws FormatError, its `offset` the number of the line.
 * @see Silva et al. 2012, https://physionet.org/content/challenge-2012/
 */
export function readClinicalRecord(file: string | Uint8Array): ClinicalRecord {
  const text = decodeText("clinical record", typeof file === "string" ? file : gunzip(file));
  const [header, ...rows] = csvRecords(text, ",");
  if (header?.fields.map((field) => field.trim()).join() !== HEADER) {
    fail(header?.line ?? 1, `the first line is not ${HEADER}; give a file of the challenge, such as 132539.txt`);
  }
  let id: string | undefined;
  let unnamed = 0;
  const descriptors: Record<string, number> = {};
  const observations: Observation[] = [];
  for (const { line, fields } of rows) {
    if (fields.length !== 3) fail(line, `${fields.length} fields where 3 are expected; the row is cut off`);
    const [time, name, value] = fields.map((field) => field.trim());
    const hours = hoursOf(time, line);
    if (name === "") {
      unnamed++;
      continue;
    }
    if (name === "RecordID") {
      if (id !== undefined) fail(line, `a second RecordID, ${JSON.stringify(value)} after ${id}; split the file`);
      if (!/^\d+$/.test(value)) fail(line, `RecordID ${JSON.stringify(value.slice(0, 40))} is not a number`);
      id = value;
      continue;
    }
    const number = NUMBER.test(value) ? Number(value) : Number.NaN;
    if (!Number.isFinite(number)) fail(line, `${name} is ${JSON.stringify(value.slice(0, 40))}, which is not a number`);
    const isDescriptor = clinicalDescriptors.includes(name);
    if (number === -1 && (isDescriptor || name === "Weight")) continue;
    if (isDescriptor) descriptors[name] = number;
    else observations.push({ id: id ?? "", time: hours, name, value: number });
  }
  if (id === undefined) fail(1, "no row has a RecordID; the file is cut off or no record of the challenge");
  return { id, descriptors, observations: observations.map((seen) => ({ ...seen, id: id as string })), unnamed };
}

function hoursOf(time: string, line: number): number {
  const parts = TIME.exec(time);
  if (parts === null) fail(line, `the time ${JSON.stringify(time.slice(0, 40))} is not hours:minutes, such as 07:35`);
  return Number(parts[1]) + Number(parts[2]) / 60;
}

function fail(line: number, message: string): never {
  throw new FormatError(`clinical record: line ${line}: ${message}`, { offset: line });
}
