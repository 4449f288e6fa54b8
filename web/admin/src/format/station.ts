// One station as a row of the file that the server takes, and back: amounts as people write them, nothing computed.
import type { Station } from '../api/stations';

import { toCsv } from './csv';

export const kStationColumns = [
  'id', 'name', 'brand', 'issuer', 'city', 'address', 'lat', 'lng', 'gasoline_92', 'gasoline_95', 'gasoline_98', 'diesel_0', 'hours', 'flags',
] as const;
export type TypedStation = Record<(typeof kStationColumns)[number], string>;

// 1e-7 degrees as a decimal, by its digits.
function degrees(e7: number): string {
  const digits = String(Math.abs(e7)).padStart(8, '0');
  return `${e7 < 0 ? '-' : ''}${digits.slice(0, -7)}.${digits.slice(-7)}`;
}
const fen = (minor: number | undefined): string => {
  if (!minor) return '';
  const digits = String(minor).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
};
const two = (value: number): string => String(value).padStart(2, '0');
const clock = (minute: number): string => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;

export function typedOf(one: Station): TypedStation {
  const price = (fuel: string) => fen(one.prices[fuel]?.minor);
  return {
    id: one.station_id,
    name: one.name,
    brand: one.brand,
    issuer: one.issuer,
    city: one.city,
    address: one.address,
    lat: degrees(one.lat_e7),
    lng: degrees(one.lng_e7),
    gasoline_92: price('gasoline_92'),
    gasoline_95: price('gasoline_95'),
    gasoline_98: price('gasoline_98'),
    diesel_0: price('diesel_0'),
    hours: one.open_minute === one.close_minute ? '' : `${clock(one.open_minute)}-${clock(one.close_minute)}`,
    flags: one.flags.join(' '),
  };
}

export const stationCsv = (typed: TypedStation): string =>
  toCsv([kStationColumns, kStationColumns.map((name) => typed[name].trim())]);
