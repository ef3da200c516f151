import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import globals from "globals";
import typescript from "typescript-eslint";

const root = new URL("../..", import.meta.url).pathname;

export default defineConfig(
  { ignores: ["**/node_modules/", "**/dist/", "**/build/", "**/generated/", "artifacts/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  { languageOptions: { globals: globals.node } },
  { files: ["tests/clients/matrix"], languageOptions: { sourceType: "commonjs" } },
  {
    files: ["**/*.ts"],
    extends: [typescript.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ["tsconfig.json", "tsconfig.tests.json", "examples/stubs/tsconfig.json"].map((name) => `${root}clients/typescript/${name}`),
      },
    },
    rules: {
      // An action takes and returns any JSON, and a schema says at run time what of it is right: `any` is what such values are.
      "@typescript-eslint/no-explicit-any": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_$", ignoreRestSiblings: true }],
      // A handler is async because its type says that it may wait.
      "@typescript-eslint/require-await": "off",
      // node:test waits for its tests by itself.
      "@typescript-eslint/no-floating-promises": ["error", { allowForKnownSafeCalls: [{ from: "package", name: ["test", "it", "describe"], package: "node:test" }] }],
    },
  },
);
