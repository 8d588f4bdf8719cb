/** Whether `npm run test:extended` runs: what takes too long for every day runs too. */
export const isExtended = process.env.KILN_EXTENDED === "1";
