import { request } from '../transport';
import type { Money } from './types';

export interface Station {
  station_id: string;
  name: string;
  brand: string;
  issuer: string;
  city: string;
  address: string;
  lat_e7: number;
  lng_e7: number;
  prices: Record<string, Money>;
  open_minute: number;
  close_minute: number;
  flags: string[];
}
export interface StationPage {
  stations: Station[];
  total: number;
  version: number;
  as_of_ms: number;
  next_cursor?: string;
}
export interface ImportFault {
  line: number;
  column: string;
  reason: string;
  value: string;
}
export interface ImportReport {
  rows: number;
  added: number;
  changed: number;
  unchanged: number;
  removed: number;
  faults: ImportFault[];
  fault_count: number;
  applied: boolean;
}
export interface ImportWish {
  csv: string;
  system: 'wgs84' | 'gcj02';
  replace: boolean;
  apply: boolean;
}

export const kExport = '/api/admin/stations/export';
export function listStations(city: string, cursor: string): Promise<StationPage> {
  const query = new URLSearchParams();
  if (city !== '') query.set('city', city);
  if (cursor !== '') query.set('cursor', cursor);
  const text = query.toString();
  return request<StationPage>('GET', `/api/admin/stations${text === '' ? '' : `?${text}`}`);
}
export const importStations = (wish: ImportWish) =>
  request<ImportReport>('POST', '/api/admin/stations/imports', { body: wish });
export const removeStations = (stations: string[]) =>
  request<{ removed: number }>('POST', '/api/admin/stations/removals', { body: { stations } });
