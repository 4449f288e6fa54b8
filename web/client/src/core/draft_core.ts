// The core's calls about drafts and what devices share. Null without WebAssembly: then nothing can be kept as a draft.
import type { Topup } from '@topup/core';
import { shallowRef } from 'vue';

export type DraftCore = Pick<Topup, 'draftCheck' | 'draftStates' | 'quote' | 'syncEdit' | 'syncPush' | 'syncAnswer'>;

export const draftCore = shallowRef<DraftCore | null>(null);
