import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** Rooms of pure values and I/O edges: they know nothing of Pulumi (docs/adr/0003). */
const ROOMS = [
  "cache/**/*.ts",
  "execution/**/*.ts",
  "registry/**/*.ts",
  "release/**/*.ts",
  "runners/**/*.ts",
  "settings/**/*.ts",
  "cli/**/*.ts",
  "settings.ts",
];

export default defineConfig(
  globalIgnores(["node_modules/", ".kiln/", "examples/"]),
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      // The Kubernetes client's types are classes; objects of their shape are what an API server takes.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      eqeqeq: "error",
    },
  },
  {
    files: ROOMS,
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { group: ["@pulumi/*"], message: "Only components/, index.ts and toolchain/plugins/ import @pulumi/*." },
          ],
        },
      ],
    },
  },
);
