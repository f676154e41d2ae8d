/** How texts are written in conditions and files of our rule language. */

/** What stands for itself between double quotes, in a condition as well as in the YAML around it. */
const PLAIN = /^(?!\p{Default_Ignorable_Code_Point})[ !#-[\]-~\p{L}\p{N}]$/u;
/** What a name of a list could be: standing alone, it would be replaced by the list, even inside of a text. */
const DELIMITER = /[ \t\n\r(),=]/;
const LIST_NAME = /^[a-zA-Z][\w.-]*$/;

/** A text in double quotes, as conditions have it; other characters are told byte by byte. */
export function quoted(text: string): string {
  const protectedAt = delimitersOfNames(text);
  let result = '';
  let at = 0;
  for (const character of text) {
    if (character === '\\' || character === '"') result += `\\${character}`;
    else if (PLAIN.test(character) && !protectedAt.has(at)) result += character;
    else
      for (const byte of Buffer.from(character, 'utf8')) result += `\\x${byte.toString(16).padStart(2, '0')}`;
    at += character.length;
  }
  return `"${result}"`;
}

/** Where delimiters stand in front of words inside the text that may be names of lists. */
function delimitersOfNames(text: string): ReadonlySet<number> {
  const places = new Set<number>();
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (!DELIMITER.test(text[at] ?? '')) continue;
    // The first and the last word have a quote beside them, which is no part of a name.
    if (start > 0 && LIST_NAME.test(text.slice(start, at))) places.add(start - 1);
    start = at + 1;
  }
  return places;
}

/** Characters that YAML or a terminal does not take as they are. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A text in double quotes, as YAML has it. */
export function yamlText(text: string, limit = 4096): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return JSON.stringify(cut.toWellFormed()).replace(UNSAFE, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const unit = character.charCodeAt(index);
      return `\\u${unit.toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}
