-- What a buyer wished of an order's money and what staff answered: at most three of an order. `words` is shown to the buyer.
CREATE TABLE refund_wishes (
  order_id TEXT NOT NULL,
  wish_no BIGINT NOT NULL CHECK (wish_no BETWEEN 1 AND 3),
  asked_at_ms BIGINT NOT NULL,
  decision TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  words TEXT NOT NULL DEFAULT '',
  answered_by TEXT NOT NULL DEFAULT '',
  answered_at_ms BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (order_id, wish_no));
