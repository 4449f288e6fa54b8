import type { Send } from './transport';

export interface Said {
  zh: string;
  en: string;
}
interface BlockBase {
  id: string;
  /** 0: open. */
  from_ms: number;
  until_ms: number;
}
export interface BannerItem {
  picture: string;
  title: Said;
  link: string;
}
export interface ProductItem {
  product: string;
  operator: string;
}
/** What a home page is made of. A page may hold kinds that are newer than the reader, who leaves them out. */
export type PageBlock = BlockBase &
  (
    | { kind: 'recipient' | 'amounts' | 'recents' | 'promise' | 'coupons' | 'stations' | 'contact' }
    | { kind: 'banner'; items: BannerItem[] }
    | { kind: 'notice'; text: Said; link: string }
    | { kind: 'entries'; items: { link: string; title: Said }[] }
    | { kind: 'countries'; title: Said; items: string[] }
    | { kind: 'products'; title: Said; items: ProductItem[] }
    | { kind: 'text'; title: Said; body: Said }
  );
export type BlockKind = PageBlock['kind'];

export interface HomePage {
  schema: number;
  version: number;
  theme: string;
  blocks: PageBlock[];
}

/** The home page as it is laid out now; version 0: as it comes. */
export async function getDecoration(send: Send): Promise<HomePage> {
  return (await send<HomePage>({ method: 'GET', path: '/api/v1/decoration' })).body;
}
