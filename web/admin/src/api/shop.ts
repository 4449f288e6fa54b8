import { request } from '../transport';
import type { Shop } from './types';

export const getShop = () => request<Shop>('GET', '/api/v1/shop');
