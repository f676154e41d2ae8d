/** What is told apart in the figures: programs, files, and questions to each kind of service. */
export const EFFECT_KINDS = ['exec', 'open', 'postgresql', 'redis'] as const;
export type EffectKind = (typeof EFFECT_KINDS)[number];

export const EFFECT_TITLES: Readonly<Record<EffectKind, string>> = {
  exec: 'program started',
  open: 'file opened',
  postgresql: 'query, PostgreSQL',
  redis: 'query, Redis',
};
