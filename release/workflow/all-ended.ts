/** All results; an error of one is thrown when all have ended, so that none goes on by itself. */
export async function allEnded<T>(works: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}
