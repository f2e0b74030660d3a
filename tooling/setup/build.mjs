// `pnpm build [name...]`: builds packages; `pnpm build site` the documentation site.
import { build, buildSite, SetupError } from "./setup.mjs";

try {
  const names = process.argv.slice(2);
  process.stdout.write(names[0] === "site" ? buildSite() : build(names));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
