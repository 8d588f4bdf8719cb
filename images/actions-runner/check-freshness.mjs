// Asks for a new runner image before GitHub refuses the old one. It runs in the cluster, inside that image: schedules of a
// repository in which nothing happens for 60 days are switched off, and then nobody would rebuild.
//
// Ends with 0 while the runner is fresh. Later it starts the workflow that rebuilds the image, and ends with 1 until a
// rebuilt image runs here: what watches jobs that fail calls for a person where the rebuild does not arrive.
import { createSign } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

const DAY_MS = 86_400_000;
const ANSWER_MS = 30_000;
/** What an App's own token may live at most is ten minutes, counted by GitHub's clock. */
const APP_TOKEN_SECONDS = 300;
const CLOCK_SKEW_SECONDS = 60;

/** What cannot be done, in words for the log. */
class Failure extends Error {}

try {
  process.exitCode = await check(settingsOf(process.env), Date.now());
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`kiln: ${error.message}`);
  process.exitCode = 1;
}

async function check(settings, now) {
  const { version, released } = readRelease(settings.releaseFile);
  const time = /^\d{4}-\d{2}-\d{2}$/.test(released) ? Date.parse(`${released}T00:00:00Z`) : NaN;
  if (Number.isNaN(time)) {
    throw new Failure(
      `${settings.releaseFile} does not say when runner ${version} was released: build images/actions-runner with ` +
        "RUNNER_VERSION and RUNNER_RELEASED",
    );
  }
  const days = Math.floor((now - time) / DAY_MS);
  if (days < settings.rebuildAfterDays) {
    console.log(`runner ${version} is ${days} days old: nothing to do before day ${settings.rebuildAfterDays}`);
    return 0;
  }
  const { owner, name, workflow, ref } = settings;
  console.log(`runner ${version} is ${days} days old: starting ${workflow} of ${owner}/${name} on ${ref}`);
  const token = givenToken(settings) ?? (await installationToken(settings, Math.floor(now / 1000)));
  await startWorkflow(settings, token);
  console.error(`kiln: ${workflow} was started; this check fails until an image with a newer runner is rolled out`);
  return 1;
}

/** The program's settings; throws where one is missing or is not what it has to be. */
function settingsOf(env) {
  const wanted = (name, pattern) => {
    const value = env[name] ?? "";
    if (pattern.test(value)) return value;
    throw new Failure(value === "" ? `${name} is not set` : `${name} is ${JSON.stringify(value)}, which it cannot be`);
  };
  const [owner, name] = wanted("KILN_REPOSITORY", /^[\w.-]+\/[\w.-]+$/).split("/");
  return {
    owner,
    name,
    workflow: wanted("KILN_WORKFLOW", /^[\w.-]+\.ya?ml$/),
    ref: wanted("KILN_REF", /^[\w./-]+$/),
    api: (env.GITHUB_API_URL ?? "https://api.github.com").replace(/\/+$/, ""),
    app: wanted("KILN_APP_DIRECTORY", /^\//),
    releaseFile: env.KILN_RELEASE_FILE ?? "/etc/kiln/runner-release.json",
    rebuildAfterDays: Number(wanted("KILN_REBUILD_AFTER_DAYS", /^\d+$/)),
  };
}

function readRelease(file) {
  try {
    const { version, released } = JSON.parse(readFileSync(file, "utf8"));
    return { version: String(version), released: String(released) };
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${error.message}`);
  }
}

/** The token that the runners' Secret holds where it is not of an App; undefined for that of an App. */
function givenToken({ app }) {
  const file = path.join(app, "github_token");
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

/** A token for this one repository that may start workflows and nothing else. */
async function installationToken(settings, now) {
  const secret = (key) => {
    try {
      return readFileSync(path.join(settings.app, key), "utf8").trim();
    } catch (error) {
      throw new Failure(`the App's ${key} cannot be read: ${error.message}`);
    }
  };
  const installation = secret("github_app_installation_id");
  if (!/^\d+$/.test(installation)) throw new Failure("the App's github_app_installation_id is no number");
  const jwt = signedToken(secret("github_app_id"), secret("github_app_private_key"), now);
  const answer = await ask(settings, `/app/installations/${installation}/access_tokens`, jwt, {
    method: "POST",
    body: { repositories: [settings.name], permissions: { actions: "write" } },
  });
  if (answer.status === 201 && typeof answer.document.token === "string") return answer.document.token;
  throw refused(
    "no token for the App",
    answer,
    "the App needs the permission Actions: read and write, and the repository",
  );
}

/** An App's own token: a JSON Web Token signed with RS256 (RFC 7519), dated back for clocks that differ. */
function signedToken(issuer, key, now) {
  const encoded = (document) => Buffer.from(JSON.stringify(document)).toString("base64url");
  const claims = { iat: now - CLOCK_SKEW_SECONDS, exp: now + APP_TOKEN_SECONDS, iss: issuer };
  const content = `${encoded({ alg: "RS256", typ: "JWT" })}.${encoded(claims)}`;
  try {
    return `${content}.${createSign("RSA-SHA256").update(content).sign(key, "base64url")}`;
  } catch {
    // What OpenSSL says may quote the key.
    throw new Failure("the App's github_app_private_key is no RSA key in PEM");
  }
}

/** Starts the workflow. One that GitHub has switched off is switched on first: that it sleeps is why this program is there. */
async function startWorkflow(settings, token) {
  const { owner, name, workflow, ref } = settings;
  const place = `/repos/${owner}/${name}/actions/workflows/${workflow}`;
  const dispatch = () => ask(settings, `${place}/dispatches`, token, { method: "POST", body: { ref } });
  let answer = await dispatch();
  if (answer.status === 422 && /disabled/i.test(String(answer.document.message))) {
    console.log(`${workflow} is switched off: switching it on`);
    const enabled = await ask(settings, `${place}/enable`, token, { method: "PUT" });
    if (enabled.status !== 204) throw refused(`${workflow} cannot be switched on`, enabled, "switch it on by hand");
    answer = await dispatch();
  }
  if (answer.status === 204 || answer.status === 200) return;
  throw refused(`${workflow} cannot be started`, answer, `it must be on ${ref} and have the trigger workflow_dispatch`);
}

async function ask({ api }, resource, token, { method, body }) {
  try {
    const response = await fetch(`${api}${resource}`, {
      method,
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${token}`,
        "user-agent": "kiln",
        "x-github-api-version": "2022-11-28",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A token belongs to the host that it was asked for: it follows nobody elsewhere.
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await response.text();
    return { status: response.status, document: parsed(text) };
  } catch (error) {
    throw new Failure(`${new URL(api).host} cannot be reached: ${error.cause?.message ?? error.message}`);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function refused(what, { status, document }, mend) {
  const said = typeof document.message === "string" ? `: ${document.message.slice(0, 200)}` : "";
  return new Failure(`${what}: GitHub answered ${status}${said}; ${mend}`);
}
