import { textFromByteString } from '../base/bytes.ts';
import type { Environment } from '../model/environment.ts';
import type { ViewContext } from './effect-view.ts';
import type { EnvironmentView } from './views.ts';

/** Variables of an environment, where it was asked for. Values are secrets, unless the user says that he wants them. */
export function environmentOf(
  environment: Environment | null | undefined,
  { showsVariables }: ViewContext,
): { readonly environment?: EnvironmentView } {
  if (environment === null || environment === undefined) return {};
  const entries = environment.variables.map((variable) => {
    const end = variable.indexOf('=');
    const value = showsVariables === true ? textFromByteString(variable.slice(end + 1)) : null;
    return [textFromByteString(variable.slice(0, end)), value] as const;
  });
  return { environment: Object.fromEntries(entries) };
}
