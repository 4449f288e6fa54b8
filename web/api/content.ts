import type { Send } from './transport';
import type { ContentDocument, ContentKind } from './types';

/** What is shown now, of one kind. */
export async function listContent(send: Send, kind: ContentKind): Promise<ContentDocument[]> {
  const path = `/api/v1/content?kind=${kind}`;
  return (await send<{ documents: ContentDocument[] }>({ method: 'GET', path })).body.documents;
}

/** One text: as shown now, or (0: now) a version that was shown once. */
export async function getContent(send: Send, document: string, version = 0): Promise<ContentDocument> {
  const path = `/api/v1/content/${encodeURIComponent(document)}${version > 0 ? `?version=${version}` : ''}`;
  return (await send<ContentDocument>({ method: 'GET', path })).body;
}
