import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layerChanges, packageChanges } from "../../../../cache/report/changes.ts";
import { markup, Markup } from "../../../../cache/report/markup.ts";
import { sizeTree, type PackageSize } from "../../../../cache/report/size-tree.ts";
import { treemap, type TreemapCell } from "../../../../cache/report/treemap.ts";

const size = (provider: string, goModule: string, name: string, bytes: number, compressed = bytes): PackageSize => ({
  ...{ provider, goModule, name, bytes, compressed },
});

const sizes = fc.array(
  fc.record({
    provider: fc.constantFrom("common", "aws", "gcp"),
    goModule: fc.constantFrom("m@v1.0.0", "n@v2.0.0", "standard library"),
    name: fc.constantFrom("a", "b", "c", "d", "e"),
    bytes: fc.nat(1e9),
    compressed: fc.nat(1e8),
  }),
  { maxLength: 60 },
);

const OPTIONS = {
  smallest: 9,
  insets: [
    { head: 18, border: 2 },
    { head: 1, border: 1 },
  ],
};
const WITHIN = { x: 0, y: 0, width: 1200, height: 640 };

describe("sizeTree", () => {
  it("puts provider, module and package below each other, each the sum of what is below it", () => {
    const tree = sizeTree([
      size("aws", "m@v1", "ec2", 9, 3),
      size("common", "std", "fmt", 2, 1),
      size("aws", "m@v1", "s3", 4, 2),
    ]);
    expect(tree).toEqual([
      {
        ...{ name: "aws", bytes: 13, compressed: 5 },
        children: [
          {
            ...{ name: "m@v1", bytes: 13, compressed: 5 },
            children: [
              { name: "ec2", bytes: 9, compressed: 3, children: [] },
              { name: "s3", bytes: 4, compressed: 2, children: [] },
            ],
          },
        ],
      },
      {
        ...{ name: "common", bytes: 2, compressed: 1 },
        children: [
          { name: "std", bytes: 2, compressed: 1, children: [{ name: "fmt", bytes: 2, compressed: 1, children: [] }] },
        ],
      },
    ]);
  });
});

describe("treemap", () => {
  const within = (cell: TreemapCell, { x, y, width, height }: typeof WITHIN) =>
    cell.x >= x - 1e-6 &&
    cell.y >= y - 1e-6 &&
    cell.x + cell.width <= x + width + 1e-6 &&
    cell.y + cell.height <= y + height + 1e-6;
  const expectInside = (cells: readonly TreemapCell[], parent: typeof WITHIN) => {
    for (const cell of cells) {
      expect(within(cell, parent)).toBe(true);
      expectInside(cell.children, cell);
    }
  };

  it("keeps children inside their parent, loses no bytes, and draws few small cells", () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom("bytes", "compressed"), (list, measure) => {
        const tree = sizeTree(list);
        const cells = treemap(tree, WITHIN, { ...OPTIONS, measure });
        expectInside(cells, WITHIN);
        const total = (nodes: readonly { readonly bytes: number }[]) =>
          nodes.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(total(cells)).toBe(total(tree));
        for (const cell of cells) if (cell.children.length > 0) expect(total(cell.children)).toBe(cell.bytes);
      }),
      { numRuns: 50 },
    );
  });

  it("puts small ones together and says how many they are", () => {
    const tree = sizeTree([size("p", "m", "large", 1e9), ...["a", "b", "c"].map((name) => size("p", "m", name, 1))]);
    const [provider] = treemap(tree, WITHIN, { ...OPTIONS, measure: "bytes" });
    expect(provider?.children[0]?.children.map(({ name, count, bytes }) => ({ name, count, bytes }))).toEqual([
      { name: "large", count: 1, bytes: 1e9 },
      { name: "3 small ones", count: 3, bytes: 3 },
    ]);
  });
});

describe("changes", () => {
  it("knows a package through a version and a move to another layer", () => {
    const before = [
      size("aws", "m@v1.0.0", "m/ec2", 0, 10),
      size("aws", "m@v1.0.0", "m/gone", 0, 5),
      size("aws", "s", "fmt", 0, 3),
    ];
    const after = [
      size("aws", "m@v1.1.0", "m/ec2", 0, 14),
      size("common", "s", "fmt", 0, 3),
      size("gcp", "n@v1", "n/new", 0, 7),
    ];
    expect(packageChanges(before, after)).toEqual([
      { name: "n/new", kind: "new", before: 0, after: 7 },
      { name: "m/gone", kind: "gone", before: 5, after: 0 },
      { name: "m/ec2", kind: "grown", before: 10, after: 14 },
    ]);
    expect(packageChanges(before, before)).toEqual([]);
    expect(packageChanges(before, after, 5).map(({ name }) => name)).toEqual(["n/new", "m/gone"]);
  });

  it("sums layers of one name", () => {
    const base = { name: "base", bytes: 4 };
    expect(layerChanges([base, base, { name: "aws", bytes: 9 }], [base, base, { name: "aws", bytes: 7 }])).toEqual([
      { name: "aws", kind: "shrunk", before: 9, after: 7 },
    ]);
  });
});

describe("html", () => {
  it("escapes whatever is put in, in text and attributes, and nothing twice", () => {
    const inner = markup`<b title="${`"'\`&`}">${"<script>"}</b>`;
    expect(inner.text).toBe('<b title="&#34;&#39;&#96;&#38;">&#60;script&#62;</b>');
    expect(markup`<p>${[inner, " & ", 3, undefined]}</p>`.text).toBe(`<p>${inner.text} &#38; 3</p>`);
    expect(markup`${new Markup("<i>")}`.text).toBe("<i>");
  });

  it("lets no sign through that begins or ends a tag or an attribute", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(markup`${text}`.text).not.toMatch(/[<>"'`]/);
      }),
    );
  });
});
