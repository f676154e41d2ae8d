/** A share for people. All and nothing are said only where they are true: 99.97 % is not 100 %, one wrong is not none. */
export function percent(share: number): string {
  if (Number.isNaN(share)) return '-';
  if (share === 0) return '0';
  if (share === 1) return '100 %';
  if (share < 0.0005) return '< 0.1 %';
  if (share > 0.9995) return '> 99.9 %';
  return `${(100 * share).toFixed(1)} %`;
}

export function number(value: number, decimals = 0): string {
  if (!Number.isFinite(value)) return '-';
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
