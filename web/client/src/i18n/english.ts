// All English words. Fetched when English is spoken: whoever reads Chinese does not download them.
import { accountEn } from './account.en';
import { buyingEn } from './buying.en';
import { en } from './en';
import { miniEn } from './mini.en';
import { offersEn } from './offers.en';
import { offlineEn } from './offline.en';

export const english = { ...en, ...accountEn, ...buyingEn, ...offersEn, ...offlineEn, ...miniEn };
