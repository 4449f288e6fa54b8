// The phone's own contacts, one at a time and only after the privacy gate. The shop never sees the rest of them.
import { asked, host } from './host';
import { mayUsePrivate } from './privacy';

export function hasContacts(): boolean {
  return typeof host.chooseContact === 'function';
}

/** The number as the contact has it; '' when nobody was picked. */
export async function pickContact(): Promise<string> {
  if (!(await mayUsePrivate())) return '';
  try {
    const { phoneNumber } = await asked<{ phoneNumber: string }>((told) => host.chooseContact?.(told));
    return phoneNumber;
  } catch {
    return '';
  }
}
