import type { LoadedSensors } from '../kernel/loader.ts';
import type { AgentReport } from '../cli/contract.ts';
import type { Pipeline } from './pipeline.ts';

/** What the agent says of itself is that old at most, while it is not held up. */
export const REPORT_MS = 2000;

/** What the agent costs and has lost, measured by itself now and then. */
export class SelfReport {
  readonly #sensors: LoadedSensors;
  readonly #pipeline: Pipeline;
  readonly #version: string;
  #measuredMs = performance.now();
  #cpuMs = cpuMs();

  constructor(sensors: LoadedSensors, pipeline: Pipeline, version: string) {
    this.#sensors = sensors;
    this.#pipeline = pipeline;
    this.#version = version;
  }

  /** null where it is not time for it. */
  next(): AgentReport | null {
    const nowMs = performance.now();
    const elapsedMs = nowMs - this.#measuredMs;
    if (elapsedMs < REPORT_MS) return null;
    const cpu = cpuMs();
    const cpuPercent = ((cpu - this.#cpuMs) / elapsedMs) * 100;
    this.#measuredMs = nowMs;
    this.#cpuMs = cpu;
    const { security, payload, programs } = this.#sensors;
    return {
      version: this.#version,
      updatedAt: new Date().toISOString(),
      cpuMs: Math.round(cpu),
      cpuPercent: Math.round(cpuPercent * 10) / 10,
      residentBytes: process.memoryUsage.rss(),
      events: this.#pipeline.eventCount,
      findings: this.#pipeline.desk.counters.findings,
      rings: [
        { ring: 'security', waitingBytes: security.waitingBytes, sizeBytes: security.sizeBytes },
        { ring: 'payload', waitingBytes: payload.waitingBytes, sizeBytes: payload.sizeBytes },
      ],
      losses: { ...this.#pipeline.losses },
      lostByKind: { ...this.#pipeline.lostByKind },
      programs,
    };
  }
}

/** Of all threads. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
