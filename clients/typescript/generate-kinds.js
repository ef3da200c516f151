// Makes a module of clients/kinds.json, for Node 20 imports no JSON without a warning.
import { readFileSync, writeFileSync } from "node:fs";

const kinds = readFileSync(new URL("../kinds.json", import.meta.url), "utf8");
writeFileSync(new URL("src/generated/kinds.ts", import.meta.url), `export const kinds: Record<string, any> = ${kinds.trimEnd()};\n`);
