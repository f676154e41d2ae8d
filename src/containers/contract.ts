/** APIs that a container runtime is asked through. 'containerd' is its own and that of Kubernetes, on one socket. */
export const RUNTIME_KINDS = ['docker', 'podman', 'containerd', 'cri'] as const;
export type RuntimeKind = (typeof RUNTIME_KINDS)[number];

/** Where a runtime listens. */
export interface RuntimeSocket {
  readonly kind: RuntimeKind;
  /** Of a unix socket. */
  readonly path: string;
}

/** A socket that was found, and what came of asking for its version. */
export interface RuntimeReport extends RuntimeSocket {
  /** null where it did not answer as its kind does. */
  readonly version: string | null;
  /** Why not; '' where it did. */
  readonly problem: string;
}
