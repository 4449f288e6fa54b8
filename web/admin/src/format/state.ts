// The order's states as the console groups and colours them; the words are those of shared/order_state.h.

export const kStates = [
  'awaiting_payment',
  'paying',
  'awaiting_approval',
  'paid',
  'submitting',
  'recharging',
  'unknown',
  'succeeded',
  'reversed',
  'refunding',
  'refunded',
  'closed',
  'review',
  'manual',
] as const;

const kFinal = new Set(['succeeded', 'refunded', 'closed']);
export const isFinal = (state: string) => kFinal.has(state);

export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'quiet';

const kTones: Record<string, Tone> = {
  awaiting_payment: 'quiet',
  paying: 'quiet',
  closed: 'quiet',
  refunded: 'quiet',
  awaiting_approval: 'warn',
  paid: 'busy',
  submitting: 'busy',
  recharging: 'busy',
  unknown: 'warn',
  refunding: 'warn',
  review: 'bad',
  manual: 'bad',
  reversed: 'bad',
  succeeded: 'good',
};
export const toneOf = (state: string): Tone => kTones[state] ?? 'quiet';
