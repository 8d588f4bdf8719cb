/** How an image has its programs: as caches that `go build` reads, as finished binaries, or as both. */
export const PROGRAM_DELIVERIES = ["cache", "binaries", "both"] as const;
export type ProgramDelivery = (typeof PROGRAM_DELIVERIES)[number];
