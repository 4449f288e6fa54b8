// Words that only the mini-program says. A reason's text stands in en.ts.
import type { miniZh } from './mini.zh';

export const miniEn: Record<keyof typeof miniZh, string> = {
  'mini.contacts': 'Contacts',
  'mini.privacy_title': 'A look at the privacy guide first',
  'mini.privacy_text':
    'The next step uses your phone number, a contact, your location or the clipboard. It is used for this once; without it you can still type by hand.',
  'mini.privacy_guide': 'Read the privacy guide',
  'mini.privacy_refuse': 'Decline',
  'mini.privacy_agree': 'Agree and go on',
  'mini.remind': 'Tell me in WeChat when it arrives',
  'mini.reminding': 'You will hear when it arrives or is refunded',
  'mini.not_reminding': 'All right, no message. This page always shows where it is',
  'mini.phone_title': 'Bind your number and find your orders on any phone',
  'mini.phone_text': 'It only tells us it is you. Nothing is topped up to it by itself.',
  'mini.phone_bind': 'Bind my WeChat number',
  'mini.phone_later': 'Later',
  'mini.phone_bound': 'Bound',
  'mini.phone_merge_title': 'This number has an account',
  'mini.phone_merge_text': 'Merging moves the orders here to that account. Merge them?',
  'mini.phone_merge_yes': 'Merge',
  'mini.phone_merge_no': 'Keep apart',
  'mini.update_title': 'A new version is ready',
  'mini.update_text': 'Restart to use it. Unpaid orders stay under Orders.',
  'mini.update_now': 'Restart now',
  'mini.update_later': 'Next time',
  'mini.share': 'Top up a phone: see what you pay and what arrives first',
  'mini.no_shop': 'This mini-program has no shop address yet. Please contact the shop.',
};
