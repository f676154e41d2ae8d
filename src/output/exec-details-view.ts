import { textFromByteString } from '../base/bytes.ts';
import { traitsOf, type ExecDetails } from '../model/exec-details.ts';
import { isoTime } from './effect-view.ts';
import { fileSystemName } from './linux-names.ts';
import type { ExecDetailsView } from './views.ts';

const SECCOMP_MODES = ['disabled', 'strict', 'filter'] as const;

export function execDetailsView(details: ExecDetails): ExecDetailsView {
  const { capabilities, interpreter, terminal } = details;
  return {
    file: {
      mode: (details.mode & 0o7777).toString(8).padStart(4, '0'),
      uid: details.ownerUid,
      gid: details.ownerGid,
      links: details.linkCount,
      changedAt: isoTime(details.changeTimeMs),
      modifiedAt: isoTime(details.modificationTimeMs),
      fileSystem: fileSystemName(details.fileSystem),
    },
    traits: traitsOf(details),
    interpreter: interpreter === null ? null : textFromByteString(interpreter),
    suid: details.savedUid,
    sgid: details.savedGid,
    loginUid: details.loginUid,
    session: details.session,
    processGroup: details.processGroup,
    terminal: terminal === null ? null : textFromByteString(terminal),
    capabilities: {
      effective: capabilityText(capabilities.effective),
      permitted: capabilityText(capabilities.permitted),
      inheritable: capabilityText(capabilities.inheritable),
    },
    noNewPrivileges: details.hasNoNewPrivileges,
    seccomp: SECCOMP_MODES[details.seccompMode] ?? `mode-${details.seccompMode}`,
    namespaces: details.namespaces,
  };
}

/** As CapEff and its like in /proc/PID/status: 16 hexadecimal digits. */
function capabilityText(set: number): string {
  return set.toString(16).padStart(16, '0');
}
