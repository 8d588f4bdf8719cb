import { describe, expect, it } from "vitest";
import { parseDockerIgnore } from "../../../../../toolchain/plugins/docker-provider/docker-ignore.ts";

describe("parseDockerIgnore", () => {
  it.each<[string, string, boolean]>([
    ["", "a", false],
    ["# a\n\n", "a", false],
    ["a", "a", true],
    ["a", "a/b/c", true],
    ["a", "b/a", false],
    ["a", "ab", false],
    ["/a", "a", true],
    ["a/", "a/b", true],
    ["./a/../b", "b", true],
    ["*", "a/b", true],
    ["*.log", "a.log", true],
    ["*.log", "b/a.log", false],
    ["**/*.log", "b/c/a.log", true],
    ["**/*.log", "a.log", true],
    ["a/**", "a/b/c", true],
    ["a/**/z", "a/z", true],
    ["a/**/z", "a/b/c/z", true],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["[ab].txt", "a.txt", true],
    ["[^ab].txt", "a.txt", false],
    ["a\\*", "a*", true],
    ["a\\*", "ab", false],
    ["a.b", "axb", false],
    ["*\n!README.md", "README.md", false],
    ["*\n!README.md", "src/README.md", true],
    ["*\n!examples/modules", "examples/modules/aws/vpc/main.go", false],
    ["*\n!examples/modules\n**/node_modules", "examples/modules/node_modules/x", true],
    ["!a\na", "a", true],
    ["a\r\nb\r\n", "b", true],
  ])("%j about %s: ignored is %s", (text, path, ignored) => {
    expect(parseDockerIgnore(text).ignores(path)).toBe(ignored);
  });

  it.each<[string, string, boolean]>([
    ["*", "node_modules", true],
    ["*\n!examples/modules", "node_modules", true],
    ["*\n!examples/modules", "examples", false],
    ["*\n!examples/modules", "examples/modules/aws", false],
    ["*\n!**/keep", "node_modules", false],
  ])("%j need not be read below %s: %s", (text, directory, prunes) => {
    expect(parseDockerIgnore(text).prunes(directory)).toBe(prunes);
  });
});
