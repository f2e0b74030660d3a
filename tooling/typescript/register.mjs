// `node --import ./tooling/typescript/register.mjs file.ts`: lets Node run this repository's TypeScript in place.
import { register } from "node:module";

register("./hooks.mjs", import.meta.url);
