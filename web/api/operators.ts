import type { Send } from './transport';

/** What the network says of a number: a hint, never a condition. */
export interface OperatorLookup {
  /** 'network' names an operator of ours; 'unknown': asked, and nobody knows; 'not_asked': nobody could be asked in time. */
  answer: 'network' | 'unknown' | 'not_asked';
  country: string;
  operator_id: string;
}

/** Whose number it is, `account` with its country: "+66812345678". */
export async function lookUpOperator(send: Send, account: string): Promise<OperatorLookup> {
  return (await send<OperatorLookup>({ method: 'POST', path: '/api/v1/operators/lookup', body: { account_number: account } })).body;
}
