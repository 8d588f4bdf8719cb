export function certificateFile(env: NodeJS.ProcessEnv): string | undefined;
export function proxiesOf(env: NodeJS.ProcessEnv): Readonly<Record<string, string>>;
export function networkEnvironment(env: NodeJS.ProcessEnv): Readonly<Record<string, string>>;
export function needsRestart(wanted: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv): boolean;
export function honoursProxies(version: string): boolean;
export function withoutCredentials(address: string): string;
export function withoutProxySecrets(text: string, env: NodeJS.ProcessEnv): string;
export function hasLoopbackProxy(env: NodeJS.ProcessEnv): boolean;
export function networkMend(message: string): string | undefined;
