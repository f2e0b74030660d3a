import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/**
 * Reads a JSON file of the `fixtures` folder beside a test.
 *
 * @param test the test's `import.meta.url`
 */
export function readFixture<T>(test: string, name: string): T {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}`, test), "utf8"));
}

/**
 * Makes a folder that is removed when the tests of the file, or of the `describe` around, have run. The name has a
 * space, as folders of users do.
 *
 * @param name appears in the folder's name
 * @returns its path
 */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `offprint ${name} `));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
