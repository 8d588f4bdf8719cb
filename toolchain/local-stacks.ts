/** The stack of this machine: file backend, loopback registry, no secrets, so an empty passphrase. */
export const LOCAL_STACK = "local";

/** The stacks of this machine, one a platform: a stack has one platform, and runs beside the other. */
export const LOCAL_STACKS: readonly string[] = [LOCAL_STACK, `${LOCAL_STACK}-arm64`];

/** Whether a stack is this machine's own: no login, no approval, and the loopback plugins may change it. */
export function isLocalStack(stack: string): boolean {
  return LOCAL_STACKS.includes(stack);
}
