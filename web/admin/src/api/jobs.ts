import { request } from '../transport';
import type { Job, JobPage } from './types';

// state "" means every state; cursor "" means the first page.
export function listJobs(state: string, cursor: string): Promise<JobPage> {
  const query = new URLSearchParams();
  if (state !== '') query.set('state', state);
  if (cursor !== '') query.set('cursor', cursor);
  const text = query.toString();
  return request<JobPage>('GET', `/api/admin/jobs${text === '' ? '' : `?${text}`}`);
}

export const retryJob = (jobId: string) =>
  request<Job>('POST', `/api/admin/jobs/${encodeURIComponent(jobId)}/retry`);

export const discardJob = (jobId: string, reason: string) =>
  request<Job>('POST', `/api/admin/jobs/${encodeURIComponent(jobId)}/discard`, { body: { reason } });
