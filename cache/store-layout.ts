/** How an image holds its caches: in packs that a small program serves to Go, or as the files that Go itself would have. */
export const STORE_LAYOUTS = ["packed", "loose"] as const;
export type StoreLayout = (typeof STORE_LAYOUTS)[number];
