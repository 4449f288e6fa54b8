// The compiled core behind the page's own interface.
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import type { Topup } from '@topup/core';
import { instantiateInNode } from '@loader/node';
import { makeLoader, type Glue } from '@loader/index';
import { draftCore } from '@/core/draft_core';
import { core, coreOf } from '@/core/topup';
import { wasmBytes, wasmFolder } from './device';

let loaded: Topup | null = null;
export function topup(): Topup {
  if (loaded === null) throw new Error('useRealCore() comes first');
  return loaded;
}

export async function useRealCore(): Promise<void> {
  const { default: glue } = (await import(/* @vite-ignore */ pathToFileURL(join(wasmFolder, 'topup.js')).href)) as { default: Glue };
  loaded = await makeLoader(glue, instantiateInNode)({ bytes: wasmBytes() });
  core.value = coreOf(loaded);
}
/** Also keeps drafts and shared lists, as a page does whose core has loaded. */
export async function useWholeCore(): Promise<void> {
  await useRealCore();
  draftCore.value = topup();
}
