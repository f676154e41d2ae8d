import type { Place } from '../text.ts';
import { RuleText } from '../text.ts';

/** What a rule file says of several events, before anything is compiled. null: the key is missing. */
export interface SeveralItem {
  readonly steps: readonly StepItem[] | null;
  readonly withinNs: number | null;
  readonly by: readonly RuleText[] | null;
  readonly count: CountItem | null;
  /** Where the first of the keys stands; null where there is none. */
  readonly place: Place | null;
}

export interface StepItem {
  readonly condition: RuleText;
  readonly name: RuleText | null;
  /** In place of the fields of the whole sequence. */
  readonly by: readonly RuleText[] | null;
  readonly count: StepCountItem | null;
  readonly place: Place;
}

export interface StepCountItem {
  readonly moreThan: number;
  readonly distinct: RuleText | null;
}

/** A count on its own, with what a sequence has beside its steps. */
export interface CountItem extends StepCountItem {
  readonly withinNs: number;
  readonly by: readonly RuleText[];
}

/** What is true of every event that is a step: by it the rule is found. */
export function conditionOfSteps(steps: readonly StepItem[]): RuleText {
  const parts = steps.flatMap(({ condition }, index) => {
    const plain = (text: string) => RuleText.standingAt(text, condition.place(0));
    return [plain(index === 0 ? '(' : ' or ('), condition, plain(')')];
  });
  return RuleText.join(parts);
}

/** What later items of the same rule say comes in the place of what was said before. */
export function changeSeveral(before: SeveralItem, item: SeveralItem): SeveralItem {
  return {
    steps: item.steps ?? before.steps,
    withinNs: item.withinNs ?? before.withinNs,
    by: item.by ?? before.by,
    count: item.count ?? before.count,
    place: before.place ?? item.place,
  };
}
