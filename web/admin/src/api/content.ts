// What the shop says in words, how its home page is laid out, and the pictures on it.
import type { PageBlock, Said } from '../../../api/decoration';
import { request } from '../transport';

export const kTextKinds = ['announcement', 'help', 'contacts', 'agreement'] as const;
export type TextKind = (typeof kTextKinds)[number];
export const kHelpTopics = ['general', 'awaiting_payment', 'paying', 'recharging', 'succeeded', 'failed'] as const;
export const kAnnouncementPages = ['home', 'orders', 'me'] as const;

export interface TextHead {
  document: string;
  kind: TextKind;
  place: number;
  title: Said;
  newest_version: number;
  written_by: string;
  written_at_ms: number;
  shown_version: number;
  published_at_ms: number;
}
export interface TextVersion {
  document: string;
  version: number;
  kind: TextKind;
  topics: string[];
  title: Said;
  body: Said;
  place: number;
  shows_from_ms: number;
  shows_until_ms: number;
  written_by: string;
  written_at_ms: number;
}
export interface Publication {
  version: number;
  published_by: string;
  published_at_ms: number;
}
export interface TextHistory {
  document: string;
  shown_version: number;
  versions: TextVersion[];
  publications: Publication[];
}

const post = <T>(path: string, body: unknown, key: string) => request<T>('POST', path, { body, key });
const named = (document: string) => `/api/admin/content/${encodeURIComponent(document)}`;

export const listTexts = async () => (await request<{ documents: TextHead[] }>('GET', '/api/admin/content')).documents;
export const textHistory = (document: string) => request<TextHistory>('GET', named(document));
export const saveText = (document: string, draft: Record<string, unknown>, key: string) =>
  post<TextVersion>(`${named(document)}/versions`, draft, key);
export const publishText = (document: string, version: number, seen: number, key: string) =>
  post<TextHistory>(`${named(document)}/publication`, { version, seen }, key);

/** A block as staff keeps it. */
export type DeskBlock = PageBlock & { hidden: boolean };
export interface DeskPage {
  schema: 1;
  theme: string;
  blocks: DeskBlock[];
}
export interface PageVersion {
  version: number;
  note: string;
  written_by: string;
  written_at_ms: number;
  page: DeskPage;
}
export interface DecorationDesk {
  newest_version: number;
  shown_version: number;
  themes: string[];
  places: string[];
  bundled_pictures: string[];
  versions: Omit<PageVersion, 'page'>[];
  publications: Publication[];
}
export interface Picture {
  picture: string;
  kind: string;
  width: number;
  height: number;
  title: string;
  added_by: string;
  added_at_ms: number;
}

export const getDecoration = () => request<DecorationDesk>('GET', '/api/admin/decoration');
export const getPageVersion = (version: number) => request<PageVersion>('GET', `/api/admin/decoration/versions/${version}`);
export const savePage = (page: DeskPage, note: string, basedOn: number, key: string) =>
  post<PageVersion>('/api/admin/decoration/versions', { page, note, based_on: basedOn }, key);
export const publishPage = (version: number, seen: number, key: string) =>
  post<DecorationDesk>('/api/admin/decoration/publication', { version, seen }, key);

export const listPictures = async () => (await request<{ pictures: Picture[] }>('GET', '/api/admin/pictures')).pictures;
export const addPicture = (title: string, bytes: string, key: string) => post<Picture>('/api/admin/pictures', { title, bytes }, key);
export const removePicture = async (picture: string, key: string) =>
  (await post<{ pictures: Picture[] }>(`/api/admin/pictures/${picture}/removal`, undefined, key)).pictures;

export const pictureAddress = (picture: string) =>
  /^[0-9a-f]{32}$/.test(picture) ? `/static/pictures/${picture}` : `/static/banners/${picture}.svg`;
