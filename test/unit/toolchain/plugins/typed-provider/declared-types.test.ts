import { describe, expect, it } from "vitest";
import { declaredMembers } from "../../../../../toolchain/plugins/typed-provider/declared-types.ts";

const SOURCE = `import * as pulumi from "@pulumi/pulumi";
/**
 * interface ThingArgs {
 *   notThis: string;
 */
export declare class Thing extends pulumi.CustomResource {
    static get(name: string, id: pulumi.Input<pulumi.ID>): Thing;
    /** Holds: a colon; and a semicolon. */
    readonly arn: pulumi.Output<string>;
    readonly size: pulumi.Output<number | undefined>;
    constructor(name: string, args: ThingArgs, opts?: pulumi.CustomResourceOptions);
}
export interface ThingArgs {
    text: pulumi.Input<string>;
    "quoted"?: pulumi.Input<boolean | undefined>;
    numbers?: pulumi.Input<pulumi.Input<number>[] | undefined>;
    tags?: pulumi.Input<{
        [key: string]: pulumi.Input<string>;
    } | undefined>;
    place: pulumi.Input<inputs.deep.Place>;
    either?: pulumi.Input<string | inputs.deep.Place | undefined>;
    code: pulumi.Input<pulumi.asset.Archive>;
}
export declare namespace deep {
    interface Place {
        /** Where. */
        city: pulumi.Input<string>;
    }
    interface Placement {
        other: string;
    }
}
interface Place {
    outer: string;
}
`;

describe("the members of a declaration", () => {
  it("are those of an interface, with what they take", () => {
    expect(declaredMembers(SOURCE, "ThingArgs")).toEqual({
      text: { required: true, shape: { kind: "text" } },
      quoted: { required: false, shape: { kind: "flag" } },
      numbers: { required: false, shape: { kind: "list", of: { kind: "number" } } },
      tags: { required: false, shape: { kind: "map", of: { kind: "text" } } },
      place: { required: true, shape: { kind: "object", name: "deep.Place" } },
      either: { required: false, shape: { kind: "any" } },
      code: { required: true, shape: { kind: "any" } },
    });
  });

  it("are those of a class, without methods; an output that may be missing is not required", () => {
    expect(declaredMembers(SOURCE, "Thing")).toEqual({
      arn: { required: true, shape: { kind: "text" } },
      size: { required: false, shape: { kind: "number" } },
    });
  });

  it("of a namespace are not mixed up with those outside", () => {
    expect(Object.keys(declaredMembers(SOURCE, "deep.Place") ?? {})).toEqual(["city"]);
    expect(Object.keys(declaredMembers(SOURCE, "Place") ?? {})).toEqual(["outer"]);
  });

  it.each(["Missing", "deep.Missing", "missing.Place", "Thin"])("are nothing for %s", (name) => {
    expect(declaredMembers(SOURCE, name)).toBeUndefined();
  });
});
