import { textFromByteString, type ByteString } from '../base/bytes.ts';
import type { Evidence, Finding } from '../model/finding.ts';
import { effectView, isoTime, type ViewContext } from './effect-view.ts';
import { processOfEffectView, processView } from './process-view.ts';
import { requestSummaryView } from './request-view.ts';
import { maskedValue } from './secrets.ts';
import type { AttributionView, EvidenceView, FindingView, ProcessView } from './views.ts';

export function findingView(finding: Finding, context: ViewContext): FindingView {
  return {
    kind: 'finding',
    id: finding.id,
    time: isoTime(finding.timeMs),
    verdict: finding.verdict,
    class: finding.class,
    severity: finding.severity,
    title: finding.title,
    detector: finding.detector,
    cwe: finding.cwe,
    attack: finding.attack,
    request:
      finding.request === null
        ? null
        : requestSummaryView(finding.request, context, (name) => isDecisiveParameter(finding, name)),
    effect: finding.effect === null ? null : effectView(finding.effect, context),
    process: processOf(finding, context),
    attribution: attributionOf(finding),
    evidence: finding.evidence.map(evidenceView),
    story: finding.story.map((effect) => effectView(effect, context)),
    actions: finding.actions,
  };
}

/** The attack itself must stay readable, even where it came in a parameter that is named like a secret. */
function isDecisiveParameter(finding: Finding, name: string): boolean {
  return finding.evidence.some((evidence) => evidence.sink !== null && evidence.source.endsWith(name));
}

function processOf(finding: Finding, context: ViewContext): ProcessView | null {
  if (finding.effect !== null) return processOfEffectView(finding.effect, context);
  return finding.request === null ? null : processView(finding.request.process, context);
}

function attributionOf(finding: Finding): AttributionView {
  if (finding.effect !== null) {
    const { grade, reason, candidates } = finding.effect.attribution;
    return { grade, reason, candidates: candidates.map((request) => request.id) };
  }
  if (finding.request !== null) {
    return { grade: 'exact', reason: 'seen in the request itself', candidates: [finding.request.id] };
  }
  return { grade: 'none', reason: 'no request was being served', candidates: [] };
}

function evidenceView(evidence: Evidence): EvidenceView {
  const { source, note, sink } = evidence;
  const value = textFromByteString(evidence.value);
  if (sink === null || evidence.sinkValue === null) {
    return { source, value: maskedValue(source, value), sink, sinkValue: null, offset: -1, length: 0, note };
  }
  const span = textSpan(evidence.sinkValue, evidence.offset, evidence.value.length);
  return { source, value, sink, sinkValue: textFromByteString(evidence.sinkValue), ...span, note };
}

/** A range of bytes within a byte string as a range of UTF-16 units within its text. */
function textSpan(bytes: ByteString, offset: number, length: number): { offset: number; length: number } {
  if (offset < 0 || offset > bytes.length) return { offset: -1, length: 0 };
  const end = Math.min(offset + length, bytes.length);
  // Text of equal length has one character a byte; shorter text is UTF-8 with longer sequences.
  if (textFromByteString(bytes).length === bytes.length) return { offset, length: end - offset };
  const unitsBefore = (position: number) =>
    Buffer.from(bytes.slice(0, position), 'latin1').toString('utf8').length;
  return { offset: unitsBefore(offset), length: unitsBefore(end) - unitsBefore(offset) };
}
