// How this machine reaches the network: proxies and certificates. Plain JavaScript, because the entrance needs it on Node 18.

/** Hosts of this machine itself, which no proxy can reach for it. */
const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

/** Where each kind of proxy is named: curl and apt read small letters only, others the capitals first. */
const PROXIES = ["http_proxy", "https_proxy"];

/** Node honours proxies of the environment from here on, in this line and from 24.0 on. */
const FIRST_WITH_PROXIES = { major: 22, minor: 21 };

/**
 * The file of certificates that this machine's programs are told to trust besides, such as those of a company's proxy.
 * `KILN_CA_FILE` decides; otherwise the variables that other tools read.
 */
export function certificateFile(env) {
  return [env.KILN_CA_FILE, env.SSL_CERT_FILE, env.NODE_EXTRA_CA_CERTS].find(
    (file) => file !== undefined && file !== "",
  );
}

/** The proxies that an environment names, by the name in small letters, which wins over the capitals. */
export function proxiesOf(env) {
  const named = PROXIES.map((name) => [name, env[name] ?? env[name.toUpperCase()]]);
  return Object.fromEntries(named.filter(([, address]) => address !== undefined && address !== ""));
}

/**
 * The variables by which every program that kiln starts, Node included, takes the same proxies and certificates, whichever
 * spelling the environment has. Empty where it names neither. What it gives for its own result is that result.
 */
export function networkEnvironment(env) {
  return { ...proxyVariables(env), ...certificateVariables(env) };
}

function proxyVariables(env) {
  // What is no address stays as it is, for `doctor` to name: Node would not even start with it.
  const proxies = Object.fromEntries(
    Object.entries(proxiesOf(env)).flatMap(([name, address]) => {
      const whole = wholeAddress(address);
      return whole === undefined ? [] : [[name, whole]];
    }),
  );
  if (Object.keys(proxies).length === 0) return {};
  const direct = (env.no_proxy ?? env.NO_PROXY ?? "").split(/[\s,]+/).filter((host) => host !== "");
  const wanted = { ...proxies, no_proxy: [...new Set([...direct, ...LOOPBACK])].join(",") };
  return { ...wanted, ...withCapitals(wanted), NODE_USE_ENV_PROXY: "1" };
}

/** A proxy's address with its scheme, which curl and Go let people leave out; undefined for what is no HTTP address. */
function wholeAddress(address) {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`;
  try {
    const { protocol, hostname } = new URL(whole);
    return /^https?:$/.test(protocol) && hostname !== "" && /^\S+$/.test(address) ? whole : undefined;
  } catch {
    return undefined;
  }
}

function certificateVariables(env) {
  const file = certificateFile(env);
  if (file === undefined) return {};
  // Node adds this file to its own certificates, so it is safe for any; what git and curl are told replaces theirs.
  const added = { SSL_CERT_FILE: file, NODE_EXTRA_CA_CERTS: file };
  return env.KILN_CA_FILE === file ? { ...added, GIT_SSL_CAINFO: file, CURL_CA_BUNDLE: file } : added;
}

function withCapitals(variables) {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name.toUpperCase(), value]));
}

/** Whether what `networkEnvironment` gave asks for something that Node reads only when it starts. */
export function needsRestart(wanted, env) {
  return ["NODE_USE_ENV_PROXY", "NODE_EXTRA_CA_CERTS"].some(
    (name) => wanted[name] !== undefined && wanted[name] !== env[name],
  );
}

/** Whether this version of Node can reach the network through the proxies of its environment. */
export function honoursProxies(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const { major: first, minor: since } = FIRST_WITH_PROXIES;
  return major >= 24 || (major === first && minor >= since);
}

/** An address without the user and password that it may carry; what is no address is not shown at all. */
export function withoutCredentials(address) {
  try {
    const url = new URL(address.includes("://") ? address : `http://${address}`);
    const user = url.username === "" && url.password === "" ? "" : "***@";
    return `${url.protocol}//${user}${url.host}`;
  } catch {
    return "no address";
  }
}

/** A text in which no proxy shows the user and password that the environment gives it. */
export function withoutProxySecrets(text, env) {
  return Object.values(proxiesOf(env)).reduce(
    (shown, address) => shown.replaceAll(address, withoutCredentials(address)),
    text,
  );
}

/** Whether a proxy listens on this machine's own loopback, which the containers of a build have another of. */
export function hasLoopbackProxy(env) {
  return Object.values(proxiesOf(env)).some((address) =>
    /^(\w+:\/\/)?([^@/]*@)?(localhost|127\.[\d.]+|\[::1\])(:|\/|$)/i.test(address),
  );
}

/** What to do where a program's message says that a proxy or its certificate is in the way; undefined for any other. */
export function networkMend(message) {
  if (
    /unable to (verify|get).*cert|self.signed|UNABLE_TO_(VERIFY|GET)_|SELF_SIGNED_CERT|unknown authority|unknown issuer|certificate (verify failed|verification failed|is NOT trusted)/i.test(
      message,
    )
  ) {
    return "set KILN_CA_FILE to the file of certificates (PEM) that this network's proxy signs with, then run the command again";
  }
  if (/\b407\b|proxy authentication/i.test(message)) {
    return "put the user and password that the proxy wants into HTTPS_PROXY and HTTP_PROXY (http://user:password@host:port)";
  }
  if (/expired|not yet valid|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/i.test(message)) {
    return "check this machine's clock (`npx kiln doctor`), then the certificate of that host";
  }
  return undefined;
}
