import { FormatError } from "@offprint/tensor-core";

/** One line of a CSV file, which quoted line breaks may spread over several. */
export interface CsvRecord {
  /** Number of its first line, from 1. */
  readonly line: number;
  readonly fields: string[];
}

/**
 * Splits CSV text into fields (RFC 4180: quotes, doubled quotes inside them, line breaks inside quotes; LF, CRLF or CR
 * end a line). Empty lines are passed over; one of an empty field in quotes is none.
 * @throws FormatError with the line of a quote that does not end or stands where none may.
 */
export function* csvRecords(text: string, delimiter: string): Generator<CsvRecord> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const record: CsvRecord = { line, fields: [] };
    const start = at;
    for (;;) {
      if (text[at] === '"') {
        const [field, next, breaks] = quoted(text, at, delimiter, line);
        record.fields.push(field);
        line += breaks;
        at = next;
      } else {
        const first = at;
        while (at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r") {
          if (text[at] === '"')
            failAt(line, "a quote stands inside an unquoted field; quote the whole field and double the quote");
          at++;
        }
        record.fields.push(text.slice(first, at));
      }
      if (text[at] !== delimiter) break;
      at++;
    }
    const empty = at === start;
    if (text[at] === "\r" && text[at + 1] === "\n") at++;
    at++;
    line++;
    if (!empty) yield record;
  }
}

/** The field that begins with a quote, where it ends, and how many line breaks it holds. */
function quoted(
  text: string,
  start: number,
  delimiter: string,
  line: number,
): [field: string, end: number, breaks: number] {
  let field = "";
  let at = start + 1;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end < 0) failAt(line, "a quote does not end; the file is truncated or a quote is not doubled");
    field += text.slice(at, end);
    at = end + 1;
    if (text[at] !== '"') break;
    field += '"';
    at++;
  }
  const next = text[at];
  if (at < text.length && next !== delimiter && next !== "\n" && next !== "\r") {
    failAt(line, `${JSON.stringify(next)} follows a closing quote; only the delimiter or a line break may`);
  }
  return [field, at, field.split("\n").length - 1];
}

/** @throws FormatError that names the line. */
export function failAt(line: number, message: string): never {
  throw new FormatError(`CSV: line ${line}: ${message}`, { offset: line });
}
