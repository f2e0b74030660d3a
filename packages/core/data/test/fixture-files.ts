import { readFileSync } from "node:fs";

/** A file made by another program, and what it holds. */
export interface FixtureFile {
  readonly bytes: Uint8Array;
  readonly shape?: number[];
  readonly values?: number[];
}

const raw = JSON.parse(readFileSync(new URL("./fixtures/files.json", import.meta.url), "utf8"));

/** Fixture files by name. */
export const files: Record<string, FixtureFile> = Object.fromEntries(
  Object.entries<{ bytes: string }>(raw).map(([name, file]) => [
    name,
    { ...file, bytes: Uint8Array.from(Buffer.from(file.bytes, "base64")) },
  ]),
);

/** Names of fixture files in a folder. */
export function named(prefix: string): string[] {
  return Object.keys(files).filter((name) => name.startsWith(prefix));
}
