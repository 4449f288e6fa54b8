-- What waits is found kind by kind, so that a flood of one kind hides no other; and a person who looks at a failed job
-- is told when it was last tried.

ALTER TABLE outbox ADD COLUMN last_tried_at_ms BIGINT NOT NULL DEFAULT 0;
CREATE INDEX outbox_by_kind ON outbox (state, kind, run_at_ms);
