// A price book, a buyer with coupons and a request, from the golden vectors.
import { vectorRows } from './core.mjs';

const rows = vectorRows('pricing.json');
const first = (call, name) => rows.find((row) => row.call === call && row.name === name).in;
export const bookBytes = Uint8Array.from(Buffer.from(first('load_book_hex', 'a book').hex, 'hex'));
export const buyer = first('set_buyer', 'a member with coupons');
export const request = first('quote', 'best of everything');
