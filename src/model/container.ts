/**
 * What a container runtime tells of a container. Its id comes out of a cgroup's path, at once and without asking
 * anybody; the rest is known later, or never. '' where the runtime does not say.
 */
export interface Container {
  readonly id: string;
  /** Which kind of runtime told it: 'docker', 'podman', 'containerd' or 'cri'. */
  readonly runtime: string;
  readonly name: string;
  /** As its user named it: 'nginx:1.25'. */
  readonly image: string;
  /** Name of the pod, of Kubernetes or Podman. */
  readonly pod: string;
  /** Of Kubernetes; for containerd without it, containerd's own. */
  readonly namespace: string;
  readonly podUid: string;
  readonly labels: Readonly<Record<string, string>>;
}
