// What each kind of entry by hand needs, as server/admin/ledger_desk.cpp asks for it; "?" may be left out.
export const kEntryFields: Record<string, string[]> = {
  settlement: ['channel', 'payee?', 'bank?', 'amount', 'fee?'],
  supplier_topup: ['supplier', 'bank?', 'amount', 'received'],
  payout: ['bank?', 'amount'],
  channel_fee: ['channel', 'payee?', 'amount'],
  adjustment: ['debit', 'credit', 'amount'],
  take_back: ['journal_id'],
  wallet_credit: ['user_id', 'amount'],
  wallet_debit: ['user_id', 'amount'],
  suspense_to_account: ['work_item_id', 'account'],
  suspense_to_payer: ['work_item_id'],
};
export const kEntryKinds = Object.keys(kEntryFields);
// What a supplier keeps our balance in; each has two digits after the point, as the amounts here are typed.
export const kReceivedIn = ['CNY', 'USD', 'EUR', 'GBP', 'HKD', 'THB'] as const;
export const isMoneyField = (name: string) => name === 'amount' || name === 'fee' || name === 'received';
