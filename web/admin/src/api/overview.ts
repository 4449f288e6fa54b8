import { request } from '../transport';
import type { Overview } from './types';

export const getOverview = () => request<Overview>('GET', '/api/admin/overview');
