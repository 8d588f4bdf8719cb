import type { ControlPlane } from "./control-plane.ts";

/** An object as the API server lists it: what the stand-ins read of any kind. */
export interface ListedObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** The objects of a list; none where the API server has no such kind. */
export async function items(plane: ControlPlane, path: string): Promise<readonly ListedObject[]> {
  const { status, body } = await plane.request("GET", path);
  return status === 200 ? (body.items as readonly ListedObject[]) : [];
}
