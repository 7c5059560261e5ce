/** The manifests: what they forbid, read; the containers' arguments, run with their own settings. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { startKv } from "../support/local-kv.mjs";
import { stopAll } from "../support/processes.mjs";
import { startPostHog } from "../support/posthog.mjs";
import { temporaryFolder } from "../support/worker.mjs";
import { SECRET_NAME, assertNoSecretArgument, assertOptionsExist, environment, recipe, refreshOnce, values, watching, writeSecrets, yaml } from "./recipes.mjs";

const [settings, cron, watch] = ["settings", "cronjob", "watch"].map((name) => yaml(recipe("kubernetes", `${name}.yaml`), "1.1"));
const job = cron.spec.jobTemplate.spec;
const pods = { "cronjob.yaml": job.template.spec, "watch.yaml": watch.spec.template.spec };

const state = temporaryFolder("recipes-kubernetes");
const secrets = join(state.path, "secrets");
let files;
let posthog;
let kv;
let env;
before(async () => {
  posthog = await startPostHog();
  kv = await startKv();
  files = writeSecrets(secrets, posthog);
  const own = { POSTHOG_HOST: posthog.url, POSTHOG_PROJECT_KEY: posthog.projectKey, FLAGPOST_STORE: kv.store };
  env = environment(posthog, settings.data, own, { CLOUDFLARE_API_BASE_URL: kv.base });
});
after(async () => {
  await stopAll();
  await kv?.stop();
  await posthog?.close();
  state.remove();
});

/** A container's arguments, with the folder of its secrets where they are here. */
function argumentsOf({ containers: [{ args, volumeMounts: [{ mountPath }] }] }) {
  assert.ok(args.some((argument) => argument.includes(mountPath)), "keys are read from the volume");
  return args.map((argument) => argument.replace(mountPath, secrets));
}

for (const [name, pod] of Object.entries(pods)) {
  test(`${name} satisfies the restricted Pod Security Standard`, () => {
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.ok(pod.securityContext.runAsUser > 0);
    assert.equal(pod.securityContext.seccompProfile.type, "RuntimeDefault");
    assert.ok(!pod.hostNetwork && !pod.hostPID && !pod.hostIPC);
    assert.equal(pod.automountServiceAccountToken, false);
    for (const { securityContext } of pod.containers) {
      assert.deepEqual(securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } });
    }
    for (const volume of pod.volumes) assert.ok(volume.secret, "of the volumes, only secrets");
  });

  test(`${name} keeps keys out of arguments and settings, and readable by its own group alone`, async () => {
    const [{ args, envFrom, env: variables }] = pod.containers;
    assertNoSecretArgument(args);
    await assertOptionsExist(args);
    assert.equal(variables, undefined);
    assert.deepEqual(envFrom, [{ configMapRef: { name: settings.metadata.name } }]);
    for (const { path: [variable] } of values(settings.data)) if (variable !== "POSTHOG_PROJECT_KEY") assert.doesNotMatch(variable, SECRET_NAME);
    assert.equal(pod.volumes[0].secret.defaultMode, 0o440);
    assert.equal(pod.securityContext.fsGroup, pod.securityContext.runAsGroup);
  });

  test(`${name} names a tag that moves for nobody, and a limit of memory`, () => {
    const [{ image, resources }] = pod.containers;
    assert.match(image, /:[^:/]+$/);
    assert.doesNotMatch(image, /:latest$/);
    assert.ok(resources.limits.memory && resources.requests.cpu);
    assert.equal(resources.limits.cpu, undefined, "a limit of CPU would only slow a short run down");
  });
}

test("README makes the secret that the manifests read", () => {
  const [, name] = recipe("kubernetes", "README.md").match(/kubectl create secret generic (\S+)/);
  const made = [...recipe("kubernetes", "README.md").matchAll(/--from-file=([a-z-]+)/g)].map(([, file]) => file);
  assert.deepEqual(made.sort(), [...files].sort());
  for (const pod of Object.values(pods)) {
    assert.equal(pod.volumes[0].secret.secretName, name);
    const read = pod.containers[0].args.filter((argument) => argument.includes("-file=")).map((argument) => argument.split("/").at(-1));
    assert.deepEqual(read.sort(), [...files].sort());
  }
});

test("runs of the CronJob do not pile up, and one that hangs ends before it matters", () => {
  assert.equal(cron.spec.concurrencyPolicy, "Forbid");
  assert.ok(cron.spec.startingDeadlineSeconds >= 10, "Kubernetes looks every ten seconds");
  assert.equal(job.backoffLimit, 0);
  assert.equal(job.template.spec.restartPolicy, "Never");
  assert.ok(job.activeDeadlineSeconds > 0);
});

test("the CronJob's arguments refresh once and report as JSON", async () => {
  const { code, stdout, stderr } = await refreshOnce(argumentsOf(job.template.spec), env);
  assert.equal(code, 0, stderr);
  assert.match(JSON.parse(stdout).status, /^(updated|unchanged)$/);
  assert.ok(!(stdout + stderr).includes(posthog.personalKey));
});

test("the Deployment's arguments watch, and answer where its probes and Prometheus ask", async () => {
  const [container] = watch.spec.template.spec.containers;
  const { annotations } = watch.spec.template.metadata;
  const [{ name, containerPort }] = container.ports;
  assert.ok(container.args.includes(`--listen=0.0.0.0:${containerPort}`));
  assert.equal(annotations["prometheus.io/port"], String(containerPort));
  const probes = [container.readinessProbe, container.livenessProbe].map(({ httpGet }) => httpGet);
  assert.deepEqual(probes.map(({ path, port }) => [path, port]), [["/readyz", name], ["/healthz", name]]);
  await watching(argumentsOf(watch.spec.template.spec), env, async (url) => {
    for (const { path } of probes) assert.equal((await fetch(url + path)).status, 200, path);
    const metrics = await (await fetch(url + annotations["prometheus.io/path"])).text();
    assert.match(metrics, /^# TYPE \w+ (counter|gauge|histogram)$/m);
  });
  assert.ok(watch.spec.template.spec.terminationGracePeriodSeconds >= 30);
  assert.deepEqual(watch.spec.selector.matchLabels, watch.spec.template.metadata.labels);
});
