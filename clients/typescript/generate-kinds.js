// Generates a module from clients/kinds.json, because importing JSON prints a warning in Node 20.
import { readFileSync, writeFileSync } from "node:fs";

const kinds = readFileSync(new URL("../kinds.json", import.meta.url), "utf8");
writeFileSync(new URL("src/generated/kinds.ts", import.meta.url), `export const kinds: Record<string, any> = ${kinds.trimEnd()};\n`);
