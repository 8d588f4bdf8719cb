import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

const EXAMPLES = path.join(import.meta.dirname, "../../examples/modules");

/** The module path of the repository. */
export const SHOP = "example.com/shop";

const program = (comment: string, imports: readonly string[], top: string, outputs: string) => `${comment}
package main

import (
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
${imports.map((line) => `\t${line}\n`).join("")})

${top}

func main() {
	if os.Getenv("SHOP_PANIC") != "" {
		panic("as asked")
	}
	pulumi.Run(func(ctx *pulumi.Context) error {
		ctx.Export("command", pulumi.String(filepath.Base(os.Args[0])))
		ctx.Export("says", pulumi.String(${outputs}))
		return nil
	})
}
`;

const FILES: Readonly<Record<string, string>> = {
  "internal/words/words.go": 'package words\n\nconst Welcome = "welcome"\n',
  "programs/shop/front/main.go": program(
    "// The front, with a file inside and a flag.",
    [`_ "embed"`, `"flag"`, `"${SHOP}/internal/words"`],
    '//go:embed sign.txt\nvar sign string\n\nvar KilnMain = flag.String("shop", words.Welcome, "")',
    "sign + *KilnMain",
  ),
  "programs/shop/front/sign.txt": "open: ",
  "programs/shop/back/main.go": program("/* The back.\n\n*/", [], "", "stock()"),
  "programs/shop/back/stock.go": 'package /* as\n\nodd */ main\n\nfunc stock() string { return "full" }\n',
  "programs/shop/back/stock_windows.go": 'package main\n\nfunc stock() string { return "other" }\n',
  // Claims the flag of the front: no process can hold both.
  "programs/shop/rival/main.go": program(
    "// The rival.",
    [`"flag"`],
    'var claim = flag.String("shop", "rival", "")',
    "*claim",
  ),
};

const END = 'package main\n\nimport "os"\n\nfunc init() { os.Exit(0) }\n\nfunc main() {}\n';

/** Programs of the standard library alone that cannot all be in one binary. */
const PARTED: Readonly<Record<string, string>> = {
  "go.mod": "module example.com/parted\n\ngo 1.26\n",
  "programs/shop/a/main.go": "package main\n\nfunc main() {}\n",
  "programs/shop/b/main.go": "package main\n\nfunc main() {}\n",
  // Ends every process that it is part of, and says nothing.
  "programs/shop/end/main.go": END,
  "programs/shop/internal/main.go": "package main\n\nfunc main() {}\n",
  "programs/shop/nil/main.go": "//go:debug panicnil=1\npackage main\n\nfunc main() {}\n",
  "programs/shop/own/go.mod": "module example.com/own\n\ngo 1.26\n",
  "programs/shop/own/main.go": "package main\n\nfunc main() {}\n",
};

/** Writes a repository of programs that cannot all be in one binary. */
export async function writePartedPrograms(root: string): Promise<void> {
  for (const [name, text] of Object.entries(PARTED)) await write(path.join(root, name), text);
}

/** Writes a repository of three programs that need Pulumi's SDK, in the examples' version, and nothing else. */
export async function writeJoinedPrograms(root: string): Promise<void> {
  for (const [name, text] of Object.entries(FILES)) await write(path.join(root, name), text);
  await writeGoModule(root);
}

/** Writes the go.mod and go.sum of that repository. */
export async function writeGoModule(folder: string): Promise<void> {
  const goMod = await readFile(path.join(EXAMPLES, "go.mod"), "utf8");
  const own = goMod.replace(/^module .*/m, `module ${SHOP}`).replace(/^\tgithub\.com\/pulumi\/pulumi-.*\n/gm, "");
  await write(path.join(folder, "go.mod"), own);
  await cp(path.join(EXAMPLES, "go.sum"), path.join(folder, "go.sum"));
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}
