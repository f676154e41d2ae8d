import type { Features } from './features.ts';

/**
 * What the dispatcher at the end of system calls hangs on.
 *
 * The raw tracepoint costs least. Up to Linux 6.18 its programs cannot be interrupted; 7.3 runs them with preemption on, and then a thread that loses the processor in the middle of the dispatcher keeps everybody else's system calls on that
 * processor from being seen until it gets it back: the kernel's guard against recursion is one for each program and processor
 * (__bpf_trace_run of kernel/trace/bpf_trace.c). Whoever wants to hide can have that: a thread of lowest priority that is
 * interrupted there blinds a busy processor for long. More copies of the program only take more such threads.
 *
 * The perf event of the tracepoint of all system calls still runs its programs with preemption off (perf_trace_sys_exit, by
 * include/trace/perf.h), so that none is left out. (Those of single system calls no longer do: perf_syscall_exit of
 * kernel/trace/trace_syscalls.c.)
 */
export const EXIT_HOOKS = ['raw tracepoint', 'perf event'] as const;
export type ExitHook = (typeof EXIT_HOOKS)[number];

/** Where there is no perf event to be had, too: most is seen that way. */
export function chooseExitHook(features: Features): { readonly hook: ExitHook; readonly reason: string } {
  const { 'steady-exits': steady, 'exit-event': event } = features;
  if (steady.answer !== 'unsupported')
    return { hook: 'raw tracepoint', reason: `by raw tracepoint: ${steady.detail}` };
  return event.answer === 'supported'
    ? { hook: 'perf event', reason: `by perf event: ${steady.detail}` }
    : {
        hook: 'raw tracepoint',
        reason: `by raw tracepoint, and much is lost under load: ${steady.detail}, and no perf event: ${event.detail}`,
      };
}
