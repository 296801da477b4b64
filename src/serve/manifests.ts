// --print-manifests -> the manifests for a cluster, by the way in which KubeVirt calls the server.

import domainHooks from './manifests/plugin-1.9.yaml'
import launcherHooks from './manifests/plugin-1.10.yaml'
import policy from './manifests/policy.yaml'
import sidecar from './manifests/sidecar.yaml'

/** YAML documents by version of KubeVirt's plugins, or for hook sidecars. */
export const manifests: Readonly<Record<string, string>> = {
  '1.9': `${domainHooks}${policy}`,
  '1.10': `${launcherHooks}${policy}`,
  sidecar,
}
