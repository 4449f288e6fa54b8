import { describe, expect, it } from 'vitest';

import type { Station } from '../src/api/stations';
import { fromCsv } from '../src/format/csv';
import { stationCsv, typedOf } from '../src/format/station';

const station: Station = {
  station_id: 'S-1', name: '长江路站, "老"', brand: 'sinopec', issuer: 'sinopec', city: '南京', address: '长江路 1 号',
  lat_e7: 320_423_456, lng_e7: -5, prices: { gasoline_92: { minor: 785, currency: 'CNY' }, diesel_0: { minor: 5, currency: 'CNY' } },
  open_minute: 360, close_minute: 1350, flags: ['loads_cards', 'shop'],
};

describe('one station as a row of the file', () => {
  it('is written by digits, so that an unchanged station stays as it was', () => {
    expect(typedOf(station)).toMatchObject({
      lat: '32.0423456', lng: '-0.0000005', gasoline_92: '7.85', gasoline_95: '', diesel_0: '0.05', hours: '06:00-22:30', flags: 'loads_cards shop',
    });
    expect(typedOf({ ...station, open_minute: 0, close_minute: 1440 }).hours).toBe('00:00-24:00');
    expect(typedOf({ ...station, open_minute: 7, close_minute: 7 }).hours).toBe('');
  });
  it('names every column and keeps commas and quotes inside their cell', () => {
    const [head, row, ...rest] = fromCsv(stationCsv(typedOf(station)));
    expect(rest).toEqual([]);
    expect(head).toHaveLength(14);
    expect(row?.[1]).toBe('长江路站, "老"');
    expect(row?.[7]).toBe('-0.0000005');
  });
});
